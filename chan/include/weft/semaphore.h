// A weighted semaphore: so and so much of something, in pieces. Go's golang.org/x/sync/semaphore.
//
// First come, first served: while somebody waits, nobody goes past, so a large request is not
// starved by a stream of small ones. One that is larger than the whole never holds up others.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <cstdint>
#include <system_error>

namespace weft {

class semaphore {
 public:
  // n tokens in all. Throws weft::panic if n is negative.
  explicit semaphore(std::int64_t n);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Each of these throws weft::panic if n is negative.
  // Blocks until n tokens are the caller's. Throws weft::panic if n is more than there are in all.
  void acquire(std::int64_t n = 1);
  // As above, but at most until ctx is done: its error then, and no token is the caller's. A request
  // for more than there are waits for just that.
  [[nodiscard]] std::error_code acquire(const context& ctx, std::int64_t n = 1);
  // Never blocks: false if n are not there, or somebody waits.
  [[nodiscard]] bool try_acquire(std::int64_t n = 1);
  // Gives n back; whoever can go on does. Throws weft::panic if fewer are held. Never blocks.
  void release(std::int64_t n = 1);

 private:
  void check(const char* what, std::int64_t n) const;
  bool take_locked(std::int64_t n) noexcept;
  detail::waiter* grant_locked() noexcept;

  const std::int64_t size_;
  detail::spin_lock lock_;
  std::int64_t free_;          // these under lock_
  detail::wait_queue queue_;   // a waiter's slot: how many it wants
};

}  // namespace weft
