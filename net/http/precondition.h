// Entity tags, dates and conditional requests: RFC 9110 sections 8.8, 5.6.7 and 13.
#pragma once
#include <weft/http.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http::detail {

// What identifies a version of a file.
struct validators {
  std::string etag;                      // "\"x\"", "W/\"x\"" if it is weak; empty: none
  std::optional<std::int64_t> modified;  // seconds since 1970
  bool date_is_strong = false;           // no other version has the same date
};

enum class comparison { weak, strong };
// True if the list of entity tags has `etag`, or is "*".
bool lists_etag(std::string_view list, std::string_view etag, comparison c) noexcept;

// Returns the seconds since 1970 of a date in one of the three forms of RFC 9110 section 5.6.7;
// none for other text. The forms:
//   "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_http_date(std::string_view s) noexcept;

// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD, in
// that order. Returns 0, 304 or 412.
int check_preconditions(const request& r, const validators& v);
// True if the Range field applies: there is one, and If-Range is absent or names this version.
bool range_applies(const request& r, const validators& v);

}  // namespace weft::http::detail
