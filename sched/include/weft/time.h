// Time as fibers see it. Go's time.Sleep and time.Now.
//
//   weft::sleep(50ms);
//   const auto took = weft::now() - begin;     // clock.h
#pragma once
#include <weft/clock.h>
#include <weft/detail/rounded_up.h>

namespace weft {

// Blocks the calling fiber, or plain thread, for at least d. Returns immediately if d <= 0. A
// duration beyond the range of nanoseconds is the longest one, here and in every function that
// takes one. Go's time.Sleep.
void sleep(duration d);
template <class R, class Period>
void sleep(const std::chrono::duration<R, Period>& d) {
  sleep(detail::rounded_up(d));
}

}  // namespace weft
