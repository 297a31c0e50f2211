// Durations of any unit as nanoseconds. The conversion that std::chrono makes by itself overflows:
// seconds::max() becomes -1 s.
#pragma once
#include <weft/clock.h>
#include <weft/detail/chrono.h>

namespace weft::detail {

// Returns d in nanoseconds, rounded up; the nearest duration if it is out of range.
template <class R, class Period>
duration rounded_up(const std::chrono::duration<R, Period>& d) {
  using seconds = std::chrono::duration<double>;
  if (seconds(d) >= seconds(duration::max())) return duration::max();
  if (seconds(d) <= seconds(duration::min())) return duration::min();
  return std::chrono::ceil<duration>(d);
}

}  // namespace weft::detail
