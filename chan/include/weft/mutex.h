// Mutual exclusion between fibers and plain threads. Go's sync.Mutex, C++'s TimedLockable.
//
//   weft::mutex mu;
//   { std::lock_guard hold(mu); ++count; }
//
// In normal mode an unlocked mutex goes to the first caller of lock(), which is fast; a waiter that
// was woken and lost the race returns to the head of the queue. When a waiter has waited for 1 ms
// the mutex enters starvation mode: each unlock hands it to the head of the queue, and new callers
// queue, until no waiter is that old. A fiber may unlock a mutex that another fiber has locked. Not
// recursive.
//
// All functions may be called from fibers and plain threads, not from signal handlers. May be
// destroyed as soon as the last lock() has returned and been unlocked, even if that unlock() has
// not returned.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/holder.h>
#include <weft/detail/in_line.h>
#include <weft/detail/wait_queue.h>

#include <atomic>
#include <cstdint>
#include <system_error>

namespace weft {

// A mutex. Constant-initialised: a static one needs no constructor call.
class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Blocks until the caller holds the mutex. Deadlocks if the caller holds it already. Go's Lock.
  void lock() {
    std::uint32_t free = detail::in_line.mutex_free;
    // [mutex] the last holder's stores before ours
    if (!state_.compare_exchange_strong(free, locked, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]]
      lock_slow();
    holder_.is_caller();
  }
  // As lock(), but stops waiting when ctx is done. Returns ctx's error then; the caller does not
  // hold the mutex.
  [[nodiscard]] std::error_code lock(const context& ctx);
  // Locks the mutex and returns true, or returns false if it is held or in starvation mode. Never
  // blocks. Go's TryLock.
  bool try_lock() noexcept {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    if (s >= detail::in_line.mutex_busy ||
        // [mutex] as lock()
        !state_.compare_exchange_strong(s, s | locked, std::memory_order_acquire, std::memory_order_relaxed))
      if (!try_lock_slow()) return false;
    holder_.is_caller();
    return true;
  }
  // As lock(), but returns false if the mutex cannot be locked within d, or before the time t.
  template <class R, class Period>
  bool try_lock_for(const std::chrono::duration<R, Period>& d) {
    return try_lock() || lock_until_slow(detail::deadline_in(detail::rounded_up(d)));
  }
  template <class Clock, class D>
  bool try_lock_until(const std::chrono::time_point<Clock, D>& t) {
    return try_lock() || lock_until_slow(detail::deadline_of(t));
  }
  // Unlocks the mutex and wakes a waiter. Throws weft::panic if it is not locked. Never blocks.
  // Go's Unlock.
  void unlock() {
    std::uint32_t alone = detail::in_line.mutex_held;
    // [mutex] our stores before the next holder
    if (!state_.compare_exchange_strong(alone, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
      unlock_slow();
  }

 private:
  friend class rw_mutex;
  // state_: `waiting` while the queue is not empty, `woken` while a waiter taken from it has not
  // locked yet. From `locked` on the mutex is not free: try_lock() compares.
  static constexpr std::uint32_t woken = 1, waiting = 2, locked = detail::mutex_locked_bit, starving = 8;
  void lock_slow();
  bool try_lock_slow() noexcept;
  void give_back_wake_up(const detail::waiter& w);
  detail::wait_end lock_bounded(const detail::wait_bound& bound);
  bool lock_until_slow(std::int64_t deadline_ns) {
    if (lock_bounded({.deadline_ns = deadline_ns}) != detail::wait_end::granted) return false;
    holder_.is_caller();
    return true;
  }
  void unlock_slow();

  std::atomic<std::uint32_t> state_{0};
  detail::spin_lock queue_lock_;
  detail::wait_queue queue_;  // under queue_lock_
  detail::holder holder_;
};

}  // namespace weft
