// Reading the time: the clock in nanoseconds, and a cheaper counter that only says
// whether it is worth reading the clock again.
#pragma once
#include <weft/clock.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "runtime/sanitizer.h"

namespace weft::detail {

inline constexpr std::int64_t never = INT64_MAX;

// How the clock is read: by clock_gettime, or by a function of a simulation. A call through a
// pointer costs as much as one of a shared library.
using clock_reader = int (*)(clockid_t, timespec*) noexcept;
#if WEFT_TSAN
extern std::atomic<clock_reader> read_clock;
#else
extern clock_reader read_clock;
#endif

inline std::int64_t now_ns() noexcept {
  timespec t;
#if WEFT_TSAN
  read_clock.load(std::memory_order_relaxed)(CLOCK_MONOTONIC, &t);
#else
  read_clock(CLOCK_MONOTONIC, &t);
#endif
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

// As now_ns(), up to coarse_ns ago: what it was at the kernel's last tick. A quarter of the price.
inline constexpr std::int64_t coarse_ns = 10'000'000;
inline std::int64_t coarse_now_ns() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

// The time when `d` from now has passed; far futures saturate just before `never`.
inline std::int64_t deadline_after(duration d) noexcept {
  const std::int64_t t = now_ns();
  if (d.count() <= 0) return t;
  return d.count() > never - 1 - t ? never - 1 : t + d.count();
}

// A free-running counter: the TSC, or arm64's generic timer, which may be as slow as 24 MHz.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t v;
  asm volatile("mrs %0, cntvct_el0" : "=r"(v));
  return v;
#else
  return static_cast<std::uint64_t>(now_ns());
#endif
}

}  // namespace weft::detail
