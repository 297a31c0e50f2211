// Condition variables: waiting until a state that a lock guards has changed. Go's sync.Cond, with
// the interface of std::condition_variable_any.
//
//   weft::mutex mu;
//   weft::cond ready;
//   std::deque<job> queue;                                 // under mu
//
//   std::unique_lock hold(mu);                             // the consumer
//   ready.wait(hold, [&] { return !queue.empty(); });      // mu is released during the wait
//   take(queue.front());
//
//   { std::lock_guard hold(mu); queue.push_back(j); }      // the producer
//   ready.signal();
//
// A channel says the same with less wherever values change hands; a cond is for a state that is
// more than a queue.
//
// All functions may be called from fibers and plain threads, not from signal handlers.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <system_error>

namespace weft {

// Wakes waiters in the order in which they began to wait. There are no spurious wake-ups: each
// wait() returns because of one signal() or broadcast(). A waiter must check its condition again
// nevertheless, since another fiber may have taken the lock first. May be destroyed as soon as
// every wait() has returned, even if the last signal() has not.
class cond {
 public:
  constexpr cond() noexcept = default;
  cond(const cond&) = delete;
  cond& operator=(const cond&) = delete;

  // Unlocks `lock`, which the caller holds, blocks until woken, and locks it again. A signal()
  // after the unlock finds the caller waiting. `lock` is any Lockable. Throws what its lock() and
  // unlock() throw. Go's Wait.
  template <class Lock>
  void wait(Lock& lock) {
    wait_bounded(lock, {});
  }
  // Blocks until done() returns true. Calls done() only with the lock held.
  template <class Lock, class Done>
    requires std::predicate<Done&>
  void wait(Lock& lock, Done done) {
    while (!done()) wait(lock);
  }
  // As wait(), but stops waiting when ctx is done, and returns ctx's error then. Locks `lock` again
  // in every case, which may block longer. If ctx is done at the call, `lock` stays locked
  // throughout.
  template <class Lock>
  [[nodiscard]] std::error_code wait(const context& ctx, Lock& lock) {
    if (const std::error_code e = detail::error_of(ctx)) return e;
    return wait_bounded(lock, {.ctx = &ctx}) == std::cv_status::timeout ? detail::error_of(ctx) : std::error_code();
  }
  template <class Lock, class Done>
    requires std::predicate<Done&>
  [[nodiscard]] std::error_code wait(const context& ctx, Lock& lock, Done done) {
    while (!done())
      if (const std::error_code e = wait(ctx, lock)) return done() ? std::error_code() : e;
    return {};
  }
  // As wait(lock), but returns std::cv_status::timeout if not woken within d, or before the time t.
  // Locks `lock` again in every case, which may block longer.
  template <class Lock, class R, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<R, Period>& d) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_in(detail::rounded_up(d))});
  }
  template <class Lock, class Clock, class D>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_of(t)});
  }
  // As wait(lock, done), but returns false if done() is not true within d, or before the time t.
  template <class Lock, class R, class Period, class Done>
  bool wait_for(Lock& lock, const std::chrono::duration<R, Period>& d, Done done) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_in(detail::rounded_up(d))}, done);
  }
  template <class Lock, class Clock, class D, class Done>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t, Done done) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_of(t)}, done);
  }

  // Wakes the waiter that has waited longest; does nothing if there is none. Never blocks. The lock
  // need not be held. Go's Signal.
  void signal();
  // Wakes all current waiters. Never blocks. The lock need not be held. Go's Broadcast.
  void broadcast();
  // The names of std::condition_variable_any for signal() and broadcast().
  void notify_one() { signal(); }
  void notify_all() { broadcast(); }

 private:
  // A waiter queues before it unlocks, so that no signal is lost, and blocks afterwards. A waiter
  // that is signalled in between has not parked and must not be made ready.
  struct place : detail::waiter {
    bool blocked = false;  // under queue_lock_
  };
  void begin(place& p);
  bool block(place& p, const detail::wait_bound& bound);  // false: not woken before the bound
  void abandon(place& p);

  template <class Lock>
  std::cv_status wait_bounded(Lock& lock, const detail::wait_bound& bound) {
    place p;
    begin(p);
    try {
      lock.unlock();
    } catch (...) {
      abandon(p);
      throw;
    }
    const bool woken = block(p, bound);
    lock.lock();
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  template <class Lock, class Done>
  bool wait_bounded(Lock& lock, const detail::wait_bound& bound, Done& done) {
    while (!done())
      if (wait_bounded(lock, bound) == std::cv_status::timeout) return done();
    return true;
  }

  detail::spin_lock queue_lock_;
  detail::wait_queue queue_;  // under queue_lock_
};

}  // namespace weft
