// The clock of weft: monotonic, in nanoseconds. Deadlines and timers read no other, so a simulation
// replaces it here.
//
//   const weft::time_point begin = weft::now();
//   work();
//   fmt::print("{} us\n", (weft::now() - begin) / 1us);
#pragma once
#include <weft/detail/chrono.h>
#include <weft/detail/requirements.h>

#include <cstdint>

namespace weft {

// A length of time: what sleep(), the timers and every ..._for() function take. A literal of
// std::chrono converts to it (1ms, 2h). The largest is 292 years. Go's time.Duration.
using duration = std::chrono::nanoseconds;

// A std::chrono clock: steady, counted from an arbitrary point. Go's monotonic reading of time.Now.
struct clock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = weft::duration;
  using time_point = std::chrono::time_point<clock, duration>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

// A moment of the clock. It has no meaning in another process, or after a restart of the machine.
using time_point = clock::time_point;

// Returns the current time. From anywhere, also signal handlers; never blocks. Go's time.Now.
time_point now() noexcept;

}  // namespace weft
