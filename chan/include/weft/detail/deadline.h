// Durations, and time points of any clock, as nanoseconds of weft's clock.
#pragma once
#include <weft/clock.h>
#include <weft/detail/chrono.h>
#include <weft/detail/rounded_up.h>

#include <cstdint>

namespace weft::detail {

// A value out of range becomes the largest time.
inline std::int64_t deadline_in(duration d) {
  const std::int64_t t = weft::now().time_since_epoch().count();
  if (d.count() <= 0) return t;
  return d.count() > INT64_MAX - 1 - t ? INT64_MAX - 1 : t + d.count();
}
template <class Clock, class D>
std::int64_t deadline_of(const std::chrono::time_point<Clock, D>& t) {
  // time_point::max() and min() of another clock overflow in nanoseconds: compared in seconds
  // first.
  using seconds = std::chrono::duration<double>;
  const auto now = Clock::now();
  const double left_s = seconds(t.time_since_epoch()).count() - seconds(now.time_since_epoch()).count();
  constexpr double century_s = 3.2e9;
  if (left_s > century_s) return INT64_MAX - 1;
  if (left_s < -1) return deadline_in(duration::zero());
  return deadline_in(std::chrono::ceil<duration>(t - now));
}

}  // namespace weft::detail
