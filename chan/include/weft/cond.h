// Waiting until something that a lock guards has changed. Go's sync.Cond, in the clothes of
// std::condition_variable_any.
#pragma once
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>

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
    wait_until_ns(lock, forever);
  }
  // Waits until done() is true; looks at it only with the lock held.
  template <class Lock, class Done>
  void wait(Lock& lock, Done done) {
    while (!done()) wait(lock);
  }
  // As wait(), no longer than that. The lock is taken again in any case.
  template <class Lock, class R, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<R, Period>& d) {
    return wait_until_ns(lock, detail::deadline_in(detail::rounded_up(d)));
  }
  template <class Lock, class Clock, class D>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t) {
    return wait_until_ns(lock, detail::deadline_of(t));
  }
  // Returns done(), false if it was not true in time.
  template <class Lock, class R, class Period, class Done>
  bool wait_for(Lock& lock, const std::chrono::duration<R, Period>& d, Done done) {
    return wait_until_ns(lock, detail::deadline_in(detail::rounded_up(d)), done);
  }
  template <class Lock, class Clock, class D, class Done>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, D>& t, Done done) {
    return wait_until_ns(lock, detail::deadline_of(t), done);
  }

  // Wakes the one that has waited longest, if anybody waits. Never blocks; the lock need not be held.
  void signal();
  // Wakes all that wait now.
  void broadcast();
  void notify_one() { signal(); }
  void notify_all() { broadcast(); }

 private:
  static constexpr std::int64_t forever = INT64_MAX;

  // A waiter queues before it unlocks, so that no signal passes it by, and blocks after that: one that
  // is signalled in between must not be made ready.
  struct place : detail::waiter {
    detail::claim_word decision;
    bool blocked = false;  // under queue_lock_
  };
  void begin(place& p, std::int64_t deadline_ns);
  bool block(place& p, std::int64_t deadline_ns);  // false: nobody woke it in time
  void abandon(place& p);

  template <class Lock>
  std::cv_status wait_until_ns(Lock& lock, std::int64_t deadline_ns) {
    place p;
    begin(p, deadline_ns);
    try {
      lock.unlock();
    } catch (...) {
      abandon(p);
      throw;
    }
    const bool woken = block(p, deadline_ns);
    lock.lock();
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  template <class Lock, class Done>
  bool wait_until_ns(Lock& lock, std::int64_t deadline_ns, Done& done) {
    while (!done())
      if (wait_until_ns(lock, deadline_ns) == std::cv_status::timeout) return done();
    return true;
  }

  detail::spin_lock queue_lock_;
  detail::wait_queue queue_;  // under queue_lock_
};

}  // namespace weft
