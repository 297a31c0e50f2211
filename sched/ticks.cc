// How fast the CPU's counter runs, measured once against the clock.
#include "sched/ticks.h"

#include "runtime/clock.h"

namespace weft::detail {
namespace {

std::uint64_t ticks_per_ms() noexcept {
  static const std::uint64_t measured = [] {
    const std::int64_t t0 = now_ns();
    const std::uint64_t c0 = ticks();
    while (now_ns() - t0 < 200'000) {
    }
    const std::uint64_t c1 = ticks();
    return (c1 - c0) * 1'000'000 / static_cast<std::uint64_t>(now_ns() - t0);
  }();
  return measured;
}

}  // namespace

std::uint64_t slice_ticks() noexcept {
  static const std::uint64_t t = 10 * ticks_per_ms();
  return t;
}

std::uint64_t timer_ticks() noexcept {
  static const std::uint64_t t = ticks_per_ms() / 100;
  return t;
}

}  // namespace weft::detail
