// The grammar of RFC 9110, RFC 9112 and RFC 3986 by which the server and the client check names,
// values and targets.
//
// Every function is pure. Only the functions that return a std::string throw, std::bad_alloc. A
// view that is returned points into the argument.
//
// Refused: Boost.URL, which Boost 1.74 does not have and whose Debian package (1.81) cannot be
// installed beside 1.74.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http::detail {

// RFC 9110 5.6.2: a method, a field name. Not empty.
bool is_token(std::string_view s) noexcept;
// RFC 9110 5.5: no control character but HTAB, and no blank at either end. May be empty.
bool is_field_value(std::string_view s) noexcept;
// Without the blanks (SP, HTAB) at either end.
std::string_view trimmed(std::string_view s) noexcept;
// Equal but for the case of ASCII letters.
bool same_word(std::string_view a, std::string_view b) noexcept;
// True if `word` is an element of the comma-separated `list`, in any case.
bool has_word(std::string_view list, std::string_view word) noexcept;
// A decimal number without sign or blank. None if it is empty, malformed or above 2^63-1.
std::optional<std::uint64_t> decimal(std::string_view s) noexcept;

// RFC 3986 3.2: [userinfo@]host[:port].
struct authority {
  std::string_view userinfo;   // without '@'
  std::string_view host;       // an IPv6 address with its brackets; may be empty
  std::string_view port;       // 0 to 65535; empty: none
  bool has_userinfo = false;
};
std::optional<authority> parse_authority(std::string_view s) noexcept;

// RFC 3986 3: the components of a URI, or of a relative reference (no scheme). Characters are
// checked, percent encodings too.
struct uri {
  std::string_view scheme, authority, path, query, fragment;
  bool has_authority = false, has_query = false, has_fragment = false;
};
std::optional<uri> parse_uri(std::string_view s) noexcept;
// RFC 3986 5.2.4.
std::string without_dot_segments(std::string_view path);

// RFC 9112 3.2. Views into the target, but for the path of an absolute form that has none.
struct request_target {
  enum class form_of { origin, absolute, authority, asterisk };
  form_of form = form_of::origin;
  std::string_view authority;  // of the absolute and the authority form
  std::string_view path;       // as sent, without the query; "*" of the asterisk form
  std::string_view query;      // without '?'
};
// None: the server must answer 400. Accepts what browsers send beyond RFC 3986: "[]|^" anywhere,
// "{}`\" in a query. Refuses %00 in a path.
std::optional<request_target> parse_target(std::string_view method, std::string_view target) noexcept;

// Decodes percent encodings; what is malformed stays as it is. In a query '+' is a blank.
enum class encoding { path, query };
std::string decoded(std::string_view s, encoding e);
// Percent-encodes what cannot stand in a URI: controls, blanks, non-ASCII bytes, '"<>\^`{|}'. '%'
// stays.
std::string escaped_uri(std::string_view s);
// For a log: one line, every byte but the printable ASCII characters as \xNN, at most `most` bytes
// of s.
std::string printable(std::string_view s, std::size_t most = 200);

}  // namespace weft::http::detail
