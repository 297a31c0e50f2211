// The one clock of weft: monotonic, in nanoseconds. A simulated world will replace it here.
#pragma once
#include <chrono>
#include <cstdint>

namespace weft {

using duration = std::chrono::nanoseconds;

// Steady, counted from an arbitrary point. Go's monotonic reading of time.Now.
struct clock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = weft::duration;
  using time_point = std::chrono::time_point<clock, duration>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

using time_point = clock::time_point;

// The time now. From anywhere; never blocks.
time_point now() noexcept;

}  // namespace weft
