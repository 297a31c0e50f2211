// One direction of a descriptor that fibers share. In each one operation is under way at a time, the others queue for
// their turn.
//
// A half's deadline is one timer for all operations. It is armed no later than it must be and looks again when
// it fires, so moving a deadline further away, as servers do for every request, costs no timer operation.
//
// What a server does for each request, without a context and in nobody's way, is operate(): the turn, the start and the
// wait in one section, inline, since all frames below a waiting fiber lie on its stack, and of a thousand fibers each
// line of them is one that the cache has not.
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

#include "net/poller/io_op.h"
#include "sched/leave.h"
#include "sched/timers.h"

namespace weft::detail {

// Why an operation does not go on. Errors are made of it when somebody asks: most operations have none.
enum class ending : std::uint8_t { none, closed, timeout, context };
std::error_code to_error(ending why, const context* ctx);

// One direction. Locks are held for a few instructions, and inside the timers' lock.
class half {
 public:
  half() noexcept;

  // Takes the turn to operate if it is free: `e` is none then, or why not. False if it must be waited for.
  bool begin_at_once(ending& e) {
    section hold(lock_);
    e = over_;
    if (e != ending::none) return true;
    if (taken_) return false;
    taken_ = true;
    return true;
  }
  // Waits for it: none if it has come, which may be when all is over().
  ending wait_for_turn(const context* ctx);
  ending over();
  // Gives it to the next in line. True if close() came in between.
  bool end() {
    section hold(lock_);
    if (!taken_) [[unlikely]]
      never_began();
    waiting_ = nullptr;
    if (!queue_.empty_approx() && pass_on(hold)) [[unlikely]]
      return false;
    taken_ = false;
    return over_ == ending::closed;
  }

  // With the turn: parks until `op` is completed or something ends the wait. True if the fiber has heard of the
  // completion; else `why`. `op` is under way.
  bool wait(io_op& op, const context* ctx, ending& why);
  // All of this without a context, by m's fiber: takes the turn, calls start() -> bool, which gives `op` to the poller,
  // and waits. False if it would take more than that: nothing has begun then. Else the turn is the caller's, who asks
  // `op` whether it was completed; if not, ended() says why. `op` must live until end().
  template <class Start>
  [[gnu::always_inline]] bool operate(M* m, io_op& op, Start start) {
    section hold(lock_, m);
    if (over_ != ending::none || taken_ || !start()) [[unlikely]]
      return false;
    taken_ = true;
    waiting_ = &op;
    op.held = hold.hand_over();
    park_fiber(m, wait_reason::io_wait, commit, &op);
    return true;
  }
  // After a wait: what has ended it, as wait() says it.
  bool ended(const io_op& op, ending& why);
  // The same for a plain thread, whose op is not under way and only listens.
  ending listen(io_op& op);
  void stop_listening();

  // Ends all waits for good. Once. True if somebody has the turn.
  bool close();
  // Nanoseconds of the clock; `never`: none.
  void set_deadline(std::int64_t at);
  std::int64_t deadline();
  // No timer will look at this any more.
  void forget_timer();

  // With the turn: the last operation has taken all there was. On io_uring for accept alone.
  bool drained = false;
  // Much has come the last time. net/received.cc.
  std::atomic<bool> in_bulk{false};

 private:
  struct timer : timer_node {
    half* of = nullptr;
  };
  static std::int64_t look_at_deadline(timer_node* t, std::int64_t now, ready_list& list);
  bool pass_on(section& hold);
  [[noreturn]] static void never_began();
  bool wait_with(io_op& op, const context& ctx, ending& why);
  // Once the fiber is off its stack: gives up the lock. A completion takes none, and may wake the fiber before that, so
  // neither its stack nor `op` is touched any more once it waits.
  static void commit(G* g, void* of);
  G* end_wait_locked(std::uint32_t why) noexcept;
  void arm();

  // These under lock_, and in the cache line of every operation.
  spin_lock lock_;
  bool taken_ = false;
  ending over_ = ending::none;
  bool armed_ = false;  // the timer is in a heap, or about to be
  io_op* waiting_ = nullptr;
  wait_queue queue_;  // for the turn
  std::int64_t deadline_ = never;
  std::int64_t armed_for_ = never;

  timer timer_;
  mutex arming_;  // one at a time puts the timer into a heap
};

}  // namespace weft::detail
