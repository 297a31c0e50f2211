// Prints a line about the scheduler at each interval. Go's GODEBUG=schedtrace.
#pragma once
#include <cstdint>
#include <string>

namespace weft::detail {

struct world;

// The state of `w`, `since_ns` after it began. Any thread; the figures are of about one moment.
std::string schedtrace_line(world& w, std::int64_t since_ns);

}  // namespace weft::detail
