#include "runtime/random.h"

#include <sys/random.h>

#include <atomic>

#include "runtime/clock.h"

namespace weft::detail {

std::uint64_t random_seed() noexcept {
  std::uint64_t v;
  if (getrandom(&v, sizeof v, GRND_NONBLOCK) == sizeof v) return v;
  static std::atomic<std::uint64_t> calls{1};
  return static_cast<std::uint64_t>(now_ns()) * calls.fetch_add(2, std::memory_order_relaxed);
}

}  // namespace weft::detail
