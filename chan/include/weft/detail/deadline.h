// Lengths of time and points of any clock, as nanoseconds of weft's clock.
#pragma once
#include <weft/clock.h>

#include <chrono>
#include <cstdint>

namespace weft::detail {

template <class Clock, class D>
std::int64_t deadline_of(const std::chrono::time_point<Clock, D>& t) {
  const auto left = std::chrono::duration_cast<duration>(t - Clock::now());
  return (weft::now() + left).time_since_epoch().count();
}
inline std::int64_t deadline_in(duration d) {
  const std::int64_t t = weft::now().time_since_epoch().count();
  if (d.count() <= 0) return t;
  return d.count() > INT64_MAX - 1 - t ? INT64_MAX - 1 : t + d.count();
}

// Any duration in nanoseconds, never shorter than it is; the longest that there is if it is longer.
template <class R, class Period>
duration rounded_up(const std::chrono::duration<R, Period>& d) {
  using seconds = std::chrono::duration<double>;
  if (seconds(d) >= seconds(duration::max())) return duration::max();
  if (seconds(d) <= seconds(duration::min())) return duration::min();
  return std::chrono::ceil<duration>(d);
}

}  // namespace weft::detail
