// The time since when a fiber has been parked, at no cost to the parking fiber.
//
// Reading a clock takes longer than a switch. So the time is a word in the world, in seconds, that
// a parking fiber copies into its G: one load of a line that is seldom written, and a store beside
// others. Threads that read the clock for another reason set the word: an M that gets a P, an M
// that checks its timers, and the monitor. A dump prints minutes, so a word that is seconds late
// does not matter.
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
