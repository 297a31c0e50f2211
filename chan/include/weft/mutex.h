// Mutual exclusion between fibers, and with plain threads. Go's sync.Mutex, C++'s TimedLockable.
//
// In normal mode a lock that is given up goes to whoever comes first, which is quick; a waiter that
// was woken and lost goes back to the head of the queue. Once a waiter has waited for 1 ms the mutex
// starves: each unlock hands it to the head of the queue, and nobody barges, until the queue is
// short of waiters that old. It may be unlocked by another fiber than the one that locked it.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/holder.h>
#include <weft/detail/wait_queue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace weft {

class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Blocks until the mutex is the caller's.
  void lock() {
    std::uint32_t free = 0;
    // [mutex] the last holder's stores before ours
    if (!state_.compare_exchange_strong(free, locked, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]]
      lock_slow();
    holder_.is_caller();
  }
  // As lock(), but at most until ctx is done: its error then, and the mutex is not the caller's.
  [[nodiscard]] std::error_code lock(const context& ctx);
  // Never blocks; false if it is held, or starves.
  bool try_lock() noexcept {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    if ((s & (locked | starving)) ||
        // [mutex] as lock()
        !state_.compare_exchange_strong(s, s | locked, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    holder_.is_caller();
    return true;
  }
  // Blocks until the mutex is the caller's, but no longer than that: false if it never was.
  template <class R, class Period>
  bool try_lock_for(const std::chrono::duration<R, Period>& d) {
    return try_lock() || lock_until_slow(detail::deadline_in(detail::rounded_up(d)));
  }
  template <class Clock, class D>
  bool try_lock_until(const std::chrono::time_point<Clock, D>& t) {
    return try_lock() || lock_until_slow(detail::deadline_of(t));
  }
  // Throws weft::panic if it is not locked. Never blocks.
  void unlock() {
    std::uint32_t alone = locked;
    // [mutex] our stores before the next holder
    if (!state_.compare_exchange_strong(alone, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
      unlock_slow();
  }

 private:
  friend class rw_mutex;
  // state_: `waiting` while the queue is not empty, `woken` while one that was taken from it is on its way.
  static constexpr std::uint32_t locked = 1, woken = 2, starving = 4, waiting = 8;
  void lock_slow();
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
