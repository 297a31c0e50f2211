// The ranges of a Range field: RFC 9110 section 14.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace weft::http::detail {

struct byte_range {
  std::uint64_t first = 0, size = 0;
};

// More ranges than this are ignored.
inline constexpr std::size_t max_ranges = 64;

struct range_request {
  // `all`: the field is ignored. It is empty, malformed, of another unit, has more than max_ranges
  // ranges, or asks for more bytes than the file has, which only overlapping ranges do (RFC 9110
  // section 17.15). An empty file has no ranges, and is sent whole, as in Go.
  enum class what { all, parts, unsatisfiable };
  using enum what;
  what kind = all;
  // In the order of the field; ranges outside the file are omitted. Not empty if kind is `parts`.
  std::vector<byte_range> ranges = {};
};
range_request parse_range(std::string_view field, std::uint64_t size);

}  // namespace weft::http::detail
