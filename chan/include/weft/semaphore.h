// Weighted semaphores. Go's golang.org/x/sync/semaphore.
//
//   weft::semaphore memory(64 << 20);
//   memory.acquire(size);  ...  memory.release(size);
//
// Requests are served in the order in which they arrive: a small request does not overtake a large
// one that waits. A request for more than the total never blocks others.
//
// All functions may be called from fibers and plain threads, not from signal handlers. Each throws
// weft::panic if n is negative.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <cstdint>
#include <system_error>

namespace weft {

// Holds n tokens. Constructing one needs no running world.
class semaphore {
 public:
  // Constructs a semaphore with n tokens. Throws weft::panic if n is negative.
  explicit semaphore(std::int64_t n);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Blocks until the caller holds n tokens. Throws weft::panic if n is larger than the total. Go's
  // Acquire.
  void acquire(std::int64_t n = 1);
  // As acquire(n), but stops waiting when ctx is done. Returns ctx's error then; the caller holds
  // no token. A request for more than the total waits until ctx is done.
  [[nodiscard]] std::error_code acquire(const context& ctx, std::int64_t n = 1);
  // Takes n tokens and returns true, or returns false if fewer are free or another request waits.
  // Never blocks. Go's TryAcquire.
  [[nodiscard]] bool try_acquire(std::int64_t n = 1);
  // Returns n tokens and wakes the waiters whose requests can be served. Throws weft::panic if
  // fewer than n are held. Never blocks. Go's Release.
  void release(std::int64_t n = 1);

 private:
  void check(const char* what, std::int64_t n) const;
  bool take_locked(std::int64_t n) noexcept;
  detail::waiter* grant_locked() noexcept;

  const std::int64_t size_;
  detail::spin_lock lock_;
  std::int64_t free_;  // these under lock_
  detail::wait_queue queue_;  // a waiter's slot: the number of tokens of its request
};

}  // namespace weft
