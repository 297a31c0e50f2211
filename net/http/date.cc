#include "net/http/date.h"

#include <fmt/format.h>
#include <weft/detail/spin_lock.h>

#include <ctime>
#include <mutex>

#include "runtime/clock.h"

namespace weft::http::detail {

namespace {

// The text of a second, which many answers share.
struct {
  weft::detail::spin_lock lock;  // the next under it
  std::time_t second = -1;
  std::string text;
} date;

}  // namespace

std::string http_date(std::time_t t) {
  std::tm utc{};
  gmtime_r(&t, &utc);
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void append_date(std::string& head) {
  const std::time_t t = std::time(nullptr);
  const std::lock_guard hold(date.lock);
  if (date.second != t) {
    date.text = "Date: " + http_date(t) + "\r\n";
    date.second = t;
  }
  head += date.text;
}

time_point in_about(duration d) noexcept {
  const std::int64_t from = weft::detail::coarse_now_ns() + weft::detail::coarse_ns;
  return time_point(duration(d.count() > weft::detail::never - from ? weft::detail::never : from + d.count()));
}

time_point bound_in(duration d) noexcept { return d.count() > 0 ? in_about(d) : time_point::max(); }

}  // namespace weft::http::detail
