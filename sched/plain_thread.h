// Plain OS threads that use a primitive.
#pragma once
#include <weft/detail/fiber.h>

#include <cstdint>

namespace weft::detail {

// park() by a thread that runs no fiber.
void park_plain_thread(wait_reason reason, commit_fn commit, void* arg);

// Plain threads that are parked in weft without a deadline. Two that are equal: no thread has been
// parked or woken in between.
struct parked_threads {
  int number;
  std::uint64_t as_read;
  bool operator==(const parked_threads&) const = default;
};
parked_threads parked_plain_threads() noexcept;
void plain_thread_woken() noexcept;
void forget_plain_threads_after_fork() noexcept;

}  // namespace weft::detail
