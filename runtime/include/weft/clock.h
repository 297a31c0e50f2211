// The clock of weft: monotonic, in nanoseconds. Deadlines and timers read no other, so a simulation
// replaces it here.
#pragma once
#include <weft/detail/chrono.h>
#include <weft/detail/requirements.h>

#include <cstdint>

namespace weft {

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

using time_point = clock::time_point;

// Returns the current time. From anywhere, also signal handlers; never blocks. Go's time.Now.
time_point now() noexcept;

}  // namespace weft
