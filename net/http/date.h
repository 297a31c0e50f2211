// The time of day as HTTP writes it, and the clock without a system call.
#pragma once
#include <weft/clock.h>

#include <ctime>
#include <string>

namespace weft::http::detail {

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", of now.
void append_date(std::string& head);
// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::time_t t);

// When that much time will have passed, to within some milliseconds; not before.
time_point in_about(duration d) noexcept;
// The same for a bound that may be absent: never if d is 0 or less.
time_point bound_in(duration d) noexcept;

}  // namespace weft::http::detail
