// One direction of a descriptor that fibers share: reading or writing. Each has a lock, so one
// operation is under way at a time and the others queue.
//
// A deadline is one timer for all operations of a direction. It is armed no later than it must be
// and is checked again when it fires, so moving a deadline further away, as servers do for every
// request, costs no timer operation.
//
// What a server does for each request, without a context and without another operation, is
// operate(): the lock, the start and the wait in one section, inline. All frames below a waiting
// fiber lie on its stack, and with a thousand fibers each cache line of them is a miss.
//
// Refused: a deadline per operation, which would arm and disarm a timer each time.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/wait_queue.h>
#include <weft/mutex.h>

#include <atomic>
#include <cstdint>
#include <system_error>

#include "net/fd/io_op.h"
#include "sched/leave.h"
#include "sched/timers.h"

namespace weft::detail {

enum class direction_kind : std::uint8_t { reading, writing };

// Returns the error for `why`, made only when needed: most operations have none.
std::error_code to_error(wait_result why, const context* ctx);

// One direction. Locks are held for a few instructions, and inside the timers' lock.
class direction {
 public:
  direction() noexcept;

  // Takes the lock if it is free. Sets `e` to none then, or to why no operation may begin. False if
  // another operation has the lock.
  bool try_lock(wait_result& e) {
    section hold(lock_);
    e = over_;
    if (e != wait_result::none) return true;
    if (taken_) return false;
    taken_ = true;
    return true;
  }
  // Blocks until the lock is the caller's: none then, also if over() is not none by that time.
  wait_result wait_for_lock(const context* ctx);
  // Why no operation may begin; none: it may.
  wait_result over();
  // Gives the lock to the next in the queue. True if close() came in between.
  bool unlock() {
    section hold(lock_);
    if (!taken_) [[unlikely]]
      not_locked();
    waiting_ = nullptr;
    if (!queue_.empty_approx() && pass_on(hold)) [[unlikely]]
      return false;
    taken_ = false;
    return over_ == wait_result::closed;
  }

  // With the lock, while `op` is under way: parks until `op` is completed or something ends the
  // wait. True if it was the completion; else sets `why`.
  bool wait(io_op& op, const context* ctx, wait_result& why);
  // All of this without a context, by m's fiber: takes the lock, calls start() -> bool, which gives
  // `op` to the poller, and waits. False if it would take more than that: nothing has begun then.
  // Else the caller has the lock and reads from `op` whether it was completed; if not, ended()
  // returns why. `op` must live until unlock().
  template <class Start>
  [[gnu::always_inline]] bool operate(M* m, io_op& op, Start start) {
    section hold(lock_, m);
    if (over_ != wait_result::none || taken_ || !start()) [[unlikely]]
      return false;
    taken_ = true;
    waiting_ = &op;
    op.held = hold.hand_over();
    park_fiber(m, wait_reason::io_wait, commit, &op);
    return true;
  }
  // After a wait: returns what wait() would.
  bool ended(const io_op& op, wait_result& why);
  // The same for a plain thread, whose op is not under way and only listens.
  wait_result listen(io_op& op);
  void stop_listening();

  // Ends all waits, and those to come. Called once.
  struct closed {
    bool taken = false;  // an operation has the lock, and will give it back
    int abandoned = 0;   // fibers of a world that has ended, which were queued for it
  };
  closed close();
  // Nanoseconds of the clock; `never`: none.
  void set_deadline(std::int64_t at);
  std::int64_t deadline();
  // No timer will look at this any more.
  void forget_timer();

  // With the lock: the last operation has taken all there was. For waits in epoll.
  bool drained = false;
  // Much has come the last time. net/socket/received.cc.
  std::atomic<bool> in_bulk{false};

 private:
  struct timer : timer_node {
    direction* of = nullptr;
  };
  static std::int64_t look_at_deadline(timer_node* t, std::int64_t now, ready_list& list);
  bool pass_on(section& hold);
  [[noreturn]] static void not_locked();
  bool wait_with(io_op& op, const context& ctx, wait_result& why);
  // Once the fiber is off its stack: gives up the lock. A completion takes none, and may wake the
  // fiber before that, so neither its stack nor `op` is touched any more once it waits.
  static void commit(G* g, void* of);
  G* end_wait_locked(wait_result why) noexcept;
  void arm();

  // These under lock_, and in the cache line of every operation.
  spin_lock lock_;
  bool taken_ = false;
  wait_result over_ = wait_result::none;
  bool armed_ = false;  // the timer is in a heap, or about to be
  io_op* waiting_ = nullptr;
  wait_queue queue_;  // for the lock
  std::int64_t deadline_ = never;
  std::int64_t armed_for_ = never;

  timer timer_;
  mutex arming_;  // one at a time puts the timer into a heap
};

}  // namespace weft::detail
