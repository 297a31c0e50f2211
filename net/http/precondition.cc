#include "net/http/precondition.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include "net/http/syntax.h"

namespace weft::http::detail {

namespace {

// True if `s` has the characters of `form`, and any character where `form` has '_'.
bool has_form(std::string_view s, std::string_view form) noexcept {
  return std::equal(s.begin(), s.end(), form.begin(), form.end(), [](char c, char f) { return f == '_' || c == f; });
}

// `time`: "08:49:37".
std::optional<std::int64_t> seconds_of(std::optional<std::uint64_t> year, std::string_view month,
                                       std::optional<std::uint64_t> day, std::string_view time) noexcept {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto at = months.find(month);
  const auto hour = decimal(time.substr(0, 2)), minute = decimal(time.substr(3, 2)),
             second = decimal(time.substr(6, 2));
  if (at == months.npos || at % 3 != 0 || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(at / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<std::int64_t>(days) * 86'400 + static_cast<std::int64_t>(*hour * 3600 + *minute * 60 + *second);
}

// RFC 9110 section 5.6.7: the year with these last two digits that is not more than 50 years in the
// future.
std::optional<std::uint64_t> full_year(std::optional<std::uint64_t> two_digits) noexcept {
  if (!two_digits) return std::nullopt;
  constexpr std::uint64_t seconds_of_year = 31'556'952;
  const std::uint64_t latest = 1970 + static_cast<std::uint64_t>(std::time(nullptr)) / seconds_of_year + 50;
  const std::uint64_t year = latest - latest % 100 + *two_digits;
  return year > latest ? year - 100 : year;
}

// The value of a field that may have one line only. None: absent or ambiguous.
std::optional<std::string_view> only_value(const request& r, std::string_view name) {
  const auto all = r.header_values(name);
  if (all.size() != 1 || all[0].empty()) return std::nullopt;
  return all[0];
}

std::optional<std::int64_t> date_of(const request& r, std::string_view name) {
  const auto text = only_value(r, name);
  return text ? parse_http_date(*text) : std::nullopt;
}

enum class listed { absent, yes, no };

listed lists(const request& r, std::string_view name, const validators& v, comparison c) {
  listed l = listed::absent;
  for (const std::string_view list : r.header_values(name)) {
    if (list.empty()) continue;
    if (lists_etag(list, v.etag, c)) return listed::yes;
    l = listed::no;
  }
  return l;
}

}  // namespace

bool lists_etag(std::string_view list, std::string_view etag, comparison c) noexcept {
  if (trimmed(list) == "*") return true;
  const bool is_weak = etag.starts_with("W/");
  if (is_weak && c == comparison::strong) return false;
  const std::string_view wanted = etag.substr(is_weak ? 2 : 0);
  while (!list.empty()) {
    list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size()));
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    const auto end = list.find('"', 1);
    if (end == list.npos) return false;
    if (list.substr(0, end + 1) == wanted && (!weak || c == comparison::weak)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

std::optional<std::int64_t> parse_http_date(std::string_view s) noexcept {
  if (has_form(s, "___, __ ___ ____ __:__:__ GMT"))
    return seconds_of(decimal(s.substr(12, 4)), s.substr(8, 3), decimal(s.substr(5, 2)), s.substr(17, 8));
  if (has_form(s, "___ ___ __ __:__:__ ____"))
    return seconds_of(decimal(s.substr(20, 4)), s.substr(4, 3), decimal(trimmed(s.substr(8, 2))), s.substr(11, 8));
  const auto comma = s.find(',');
  constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};
  if (comma == s.npos || std::find(days.begin(), days.end(), s.substr(0, comma)) == days.end()) return std::nullopt;
  s.remove_prefix(comma);
  if (!has_form(s, ", __-___-__ __:__:__ GMT")) return std::nullopt;
  return seconds_of(full_year(decimal(s.substr(9, 2))), s.substr(5, 3), decimal(s.substr(2, 2)), s.substr(12, 8));
}

int check_preconditions(const request& r, const validators& v) {
  const listed match = lists(r, "If-Match", v, comparison::strong);
  if (match == listed::no) return 412;
  if (match == listed::absent && v.modified) {
    const auto since = date_of(r, "If-Unmodified-Since");
    if (since && *v.modified > *since) return 412;
  }
  const listed none_match = lists(r, "If-None-Match", v, comparison::weak);
  if (none_match == listed::yes) return 304;
  if (none_match == listed::absent && v.modified) {
    const auto since = date_of(r, "If-Modified-Since");
    if (since && *v.modified <= *since) return 304;
  }
  return 0;
}

bool range_applies(const request& r, const validators& v) {
  if (r.method() != "GET" || !only_value(r, "Range")) return false;
  const auto all = r.header_values("If-Range");
  if (all.empty()) return true;
  const auto value = only_value(r, "If-Range");
  if (!value || *value == "*") return false;
  if (value->starts_with('"') || value->starts_with("W/")) return lists_etag(*value, v.etag, comparison::strong);
  const auto date = parse_http_date(*value);
  return date && v.modified == date && v.date_is_strong;
}

}  // namespace weft::http::detail
