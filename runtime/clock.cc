#include "runtime/clock.h"

namespace weft {

#if WEFT_TSAN
constinit std::atomic<detail::clock_reader> detail::read_clock{::clock_gettime};
#else
constinit detail::clock_reader detail::read_clock = ::clock_gettime;
#endif

clock::time_point clock::now() noexcept { return time_point(duration(detail::now_ns())); }
time_point now() noexcept { return clock::now(); }

}  // namespace weft
