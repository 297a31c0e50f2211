// URI references: RFC 3986, and what of them HTTP can address.
//
// Refused: Boost.URL, which Debian 12 has only in a second set of Boost packages that cannot be
// installed beside the default ones; libcurl's URL interface, a large dependency for one function.
#pragma once
#include <weft/errors.h>

#include <optional>
#include <string>
#include <string_view>

namespace weft::http::detail {

// The five components. An absent component differs from an empty one.
struct uri_parts {
  std::optional<std::string> scheme, authority;
  std::string path;
  std::optional<std::string> query, fragment;
};

// Splits any text into components, as RFC 3986 appendix B. Checks nothing.
uri_parts split_uri(std::string_view text);
// RFC 3986 section 5.2.2.
uri_parts resolve_reference(const uri_parts& base, const uri_parts& reference);
// RFC 3986 section 5.3.
std::string to_text(const uri_parts& u);

// A place and a resource that HTTP can address.
struct http_url {
  bool secure = false;                  // https
  std::string host;                     // in lower case, without brackets; an IPv6 zone after '%'
  int port = 0;
  std::optional<std::string> userinfo;  // decoded: "user:password"
  std::string target;                   // origin-form: path and query

  std::string_view scheme() const { return secure ? "https" : "http"; }
  std::string place() const;            // "host:port" to dial
  std::string host_field() const;       // for the Host field: without the default port
  std::string origin() const;           // "scheme://host:port"
};

// The percent-encoding that http_url_of() adds.
enum class encode {
  non_ascii,   // for the caller's text: spaces are errors
  all_unsafe,  // for a peer's Location, as browsers do
};

// Returns std::errc::protocol_not_supported for a scheme other than http and https, and
// std::errc::invalid_argument for a malformed URL.
result<http_url> http_url_of(const uri_parts& u, encode how);

// Returns `text` without its percent-encoding, or nothing where an escape is malformed.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace weft::http::detail
