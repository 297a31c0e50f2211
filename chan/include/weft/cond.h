// Waiting until something that a lock guards has changed. Go's sync.Cond, in the clothes of
// std::condition_variable_any.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <system_error>

namespace weft {

// Waiters are woken in the order in which they began to wait, and never for no reason: each wait()
// returns because of one signal() or broadcast(). Whoever waits must still look again at what it
// waits for, since another fiber may have had the lock first. May be destroyed as soon as every
// wait() has returned, also while the last signal() is still returning.
class cond {
 public:
  constexpr cond() noexcept = default;
  cond(const cond&) = delete;
  cond& operator=(const cond&) = delete;

  // Unlocks `lock`, which the caller holds, blocks until woken, and locks it again. Whatever is
  // signalled after the unlock finds the caller waiting. Any Lockable will do.
  template <class Lock>
  void wait(Lock& lock) {
    wait_bounded(lock, {});
  }
  // Waits until done() is true; looks at it only with the lock held.
  template <class Lock, class Done>
    requires std::predicate<Done&>
  void wait(Lock& lock, Done done) {
    while (!done()) wait(lock);
  }
  // As these, but at most until ctx is done: its error then. The lock is taken again in any case, however
  // long that takes. If ctx is done at the call, the lock is not given up at all.
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
  // As wait(), no longer than that. The lock is taken again in any case.
  template <class Lock, class R, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<R, Period>& d) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_in(detail::rounded_up(d))});
  }
  template <class Lock, class Clock, class D>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_of(t)});
  }
  // Returns done(), false if it was not true in time.
  template <class Lock, class R, class Period, class Done>
  bool wait_for(Lock& lock, const std::chrono::duration<R, Period>& d, Done done) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_in(detail::rounded_up(d))}, done);
  }
  template <class Lock, class Clock, class D, class Done>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t, Done done) {
    return wait_bounded(lock, {.deadline_ns = detail::deadline_of(t)}, done);
  }

  // Wakes the one that has waited longest, if anybody waits. Never blocks; the lock need not be held.
  void signal();
  // Wakes all that wait now.
  void broadcast();
  void notify_one() { signal(); }
  void notify_all() { broadcast(); }

 private:
  // A waiter queues before it unlocks, so that no signal passes it by, and blocks after that: one that
  // is signalled in between must not be made ready.
  struct place : detail::waiter {
    bool blocked = false;  // under queue_lock_
  };
  void begin(place& p);
  bool block(place& p, const detail::wait_bound& bound);  // false: nobody woke it before the bound
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
