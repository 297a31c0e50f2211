#include "runtime/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "runtime/clock.h"
#include "runtime/sanitizer.h"

namespace weft::detail {

namespace {

bool wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline_ns) {
  timespec at{};
  timespec* until = nullptr;
  if (deadline_ns != never) {
    at = {.tv_sec = deadline_ns / 1'000'000'000, .tv_nsec = deadline_ns % 1'000'000'000};
    until = &at;
  }
  // The bitset form takes an absolute time of the monotonic clock.
  const long r = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return !(r == -1 && errno == ETIMEDOUT);
}

}  // namespace

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline_ns) {
  if constexpr (!under_tsan) return wait(word, expected, deadline_ns);
  // TSan keeps a thread's signals back until the thread calls something that TSan knows.
  for (;;) {
    constexpr std::int64_t slice_ns = 250'000'000;
    const std::int64_t until = std::min(deadline_ns, now_ns() + slice_ns);
    if (wait(word, expected, until)) return true;
    usleep(0);
    if (until == deadline_ns) return false;
  }
}

void futex_wake(std::atomic<std::uint32_t>& word, int count) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace weft::detail
