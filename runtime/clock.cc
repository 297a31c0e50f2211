#include "runtime/clock.h"

namespace weft {

clock::time_point clock::now() noexcept { return time_point(duration(detail::now_ns())); }
time_point now() noexcept { return clock::now(); }

}  // namespace weft
