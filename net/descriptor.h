// A descriptor that fibers share: read by one, written by another, given a deadline by a third, closed by a fourth.
//
// No operation may meet a number that the kernel has given to somebody else in the meantime. So an operation
// holds the descriptor while it is under way, and close() only says that it is over: it ends the operations
// that wait, and whoever lets go of the descriptor last closes it. close() returns when that has happened.
//
// The two halves know nothing of each other. In each one operation is under way at a time, the others queue.
// A half's deadline is one timer for all operations. It is armed no later than it must be and looks again when
// it fires, so moving a deadline further away, as servers do for every request, costs no timer operation.
//
// Refused: a deadline per operation, which would arm and disarm a timer each time; shutdown(2) to end the
// operations under way, which also ends those of processes that share the socket.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/wait_queue.h>
#include <weft/endpoint.h>
#include <weft/mutex.h>

#include <atomic>
#include <cstdint>
#include <system_error>

#include "net/poller/backend.h"
#include "sched/timers.h"

namespace weft::detail {

// One direction. Locks are held for a few instructions, and inside the timers' lock.
class half {
 public:
  half() noexcept;

  // Waits for the turn to operate. An error if the half is closed, its time or ctx is over.
  std::error_code begin(const context* ctx);
  void end();

  // With the turn: parks until `op` is completed or something ends the wait: claim_word says which. True if
  // the fiber has heard of the completion. `op` is under way.
  bool wait(io_op& op, const context* ctx, std::error_code& why);
  // The same for a plain thread, whose op is not under way and only listens.
  std::error_code listen(io_op& op);
  void stop_listening();

  // Ends all waits for good. Once.
  void close();
  // Nanoseconds of the clock; `never`: none.
  void set_deadline(std::int64_t at);
  std::int64_t deadline();
  // No timer will look at this any more.
  void forget_timer();

  // With the turn: the last operation has taken all there was. On io_uring for accept alone.
  bool drained = false;

 private:
  struct timer : timer_node {
    half* of = nullptr;
  };
  static std::int64_t look_at_deadline(timer_node* t, std::int64_t now, ready_list& list);
  std::error_code over_locked() const noexcept;
  G* end_wait_locked(std::uint32_t why) noexcept;
  void arm();

  // These under lock_, and in the cache line of every operation.
  spin_lock lock_;
  bool taken_ = false;
  bool closed_ = false;
  bool expired_ = false;
  bool armed_ = false;             // the timer is in a heap, or about to be
  io_op* waiting_ = nullptr;
  wait_queue queue_;               // for the turn
  std::int64_t deadline_ = never;
  std::int64_t armed_for_ = never;

  timer timer_;
  mutex arming_;                   // one at a time puts the timer into a heap
};

class alignas(64) descriptor {
 public:
  // Owns `fd`. One handle exists.
  descriptor(int fd, net::endpoint local, net::endpoint remote);

  // Handles: when the last is gone the descriptor is closed.
  void add_handle() noexcept { life_.fetch_add(one_handle, std::memory_order_relaxed); }
  void drop_handle() noexcept;

  // An operation begins: false if the descriptor is closed. Throws weft::panic if 1,048,575 are under way, as
  // many as Go allows. And ends: the process dies if none is under way.
  bool enter();
  void leave() noexcept;

  std::error_code close();
  bool closed() const noexcept { return life_.load(std::memory_order_relaxed) & closing; }

  int fd() const noexcept { return fd_; }
  half& half_for(half_of h) noexcept { return halves_[static_cast<int>(h)]; }
  const net::endpoint& local() const noexcept { return local_; }
  const net::endpoint& remote() const noexcept { return remote_; }
  // Watched by epoll from now on. Null and errno if that cannot be.
  epoll_slot* slot(backend& b);

  // Before it is shared: it was dialled, and this is where it leads.
  void connected(const net::endpoint& to);

  // Of a socket: short_reads_drain(). Of a file: it waits as a socket does.
  bool is_stream = false;
  // The file of its local address goes when it is closed.
  bool unlinks_path = false;

 private:
  static constexpr std::uint64_t one_op = 1, one_handle = std::uint64_t{1} << 20, closing = std::uint64_t{1} << 63;
  static constexpr std::uint64_t ops = one_handle - 1, handles = (closing - 1) & ~ops;
  ~descriptor() = default;
  void end_waits();
  void close_now() noexcept;

  // What every operation touches comes first.
  std::atomic<std::uint64_t> life_{one_handle};
  const int fd_;
  half halves_[2];
  std::atomic<epoll_slot*> slot_{nullptr};
  backend* slot_of_ = nullptr;     // set before slot_
  spin_lock lock_;
  bool done_ = false;              // these under lock_: the number is the kernel's again
  int close_error_ = 0;
  wait_queue closers_;
  net::endpoint local_, remote_;
};

// An operation's hold on a descriptor.
class in_use {
 public:
  explicit in_use(descriptor* d) : d_(d && d->enter() ? d : nullptr) {}
  in_use(const in_use&) = delete;
  in_use& operator=(const in_use&) = delete;
  ~in_use() {
    if (d_) d_->leave();
  }
  explicit operator bool() const noexcept { return d_; }

 private:
  descriptor* d_;
};

}  // namespace weft::detail
