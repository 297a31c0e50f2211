// Since when a fiber has been parked, at no cost to the one that parks.
//
// Reading a clock takes longer than a switch. So the time is a word in the world, in seconds, that a
// parking fiber copies into its G: one load of a line that is hardly ever written, and a store beside
// others. The word is set by whoever has reason to read the clock anyway: an M that gets a P, an M that
// looks at its timers, and the monitor. A dump says minutes, so a word that is seconds late does not matter.
#pragma once
#include <atomic>
#include <cstdint>

#include "runtime/clock.h"
#include "sched/world.h"

namespace weft::detail {

// Seconds of the clock.
inline std::uint32_t coarse_now_s(std::int64_t now) noexcept { return static_cast<std::uint32_t>(now / 1'000'000'000); }
inline std::uint32_t coarse_now_s() noexcept { return coarse_now_s(now_ns()); }

// It is `now`. Any thread; writes only if the second has changed.
inline void set_coarse_clock(world& w, std::int64_t now) noexcept {
  const std::uint32_t s = coarse_now_s(now);
  if (w.coarse_s.load(std::memory_order_relaxed) != s) w.coarse_s.store(s, std::memory_order_relaxed);
}

}  // namespace weft::detail
