// A mux's pattern, "[METHOD ][HOST]/path": its pieces, what it matches, and which of two says more
// about a request.
#pragma once
#include <weft/http.h>

#include <string>
#include <string_view>
#include <vector>

namespace weft::http::detail {

struct pattern {
  enum class kind { literal, one, rest, end };  // "x", "{x}", "{x...}" or a trailing "/", "{$}"
  struct piece {
    kind what;
    std::string text;  // decoded, or the name of the wildcard
  };
  std::string text, method, host;  // the host in lower case
  std::vector<piece> pieces;
  handler h;
};

// Throws weft::panic if it is malformed.
pattern parse_pattern(std::string_view text);

// As Go's routing: of the requests that two patterns match, which has more.
enum class relation { same, more_general, more_specific, overlap, disjoint };
relation compare(const pattern& a, const pattern& b);

// The segments of "/a/b%2Fc/", decoded, are "a", "b/c" and "".
struct split_path {
  std::vector<std::string> segments;
  std::string_view raw;  // the path
};
split_path split(std::string_view raw_path);
// Fills `found` with what stands for the wildcards.
bool matches(const pattern& p, const split_path& path, value_list& found);
bool takes_method(const pattern& p, std::string_view method);
// Without empty, "." and ".." segments, however they are encoded. A trailing slash stays.
std::string clean_path(std::string_view raw_path);

}  // namespace weft::http::detail
