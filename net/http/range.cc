#include "net/http/range.h"

#include <algorithm>
#include <optional>

#include "net/http/syntax.h"

namespace weft::http::detail {

namespace {

// One range of a file of `size` bytes. None if it is malformed. Size 0: it lies outside the file.
std::optional<byte_range> parse_one(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto from = trimmed(text.substr(0, dash)), to = trimmed(text.substr(dash + 1));
  const auto first = decimal(from), last = decimal(to);
  if ((!first && !from.empty()) || (!last && !to.empty()) || (!first && !last)) return std::nullopt;
  if (!first) return byte_range{size - std::min(*last, size), std::min(*last, size)};  // the last bytes
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return byte_range{0, 0};
  return byte_range{*first, (last ? std::min(*last, size - 1) : size - 1) - *first + 1};
}

}  // namespace

range_request parse_range(std::string_view field, std::uint64_t size) {
  if (size == 0 || field.size() < 6 || !same_word(field.substr(0, 6), "bytes=")) return {};
  field.remove_prefix(6);
  range_request r;
  std::size_t listed = 0;
  std::uint64_t left = size;
  while (!field.empty()) {
    const std::string_view raw = field.substr(0, field.find(','));
    field.remove_prefix(std::min(field.size(), raw.size() + 1));
    const std::string_view text = trimmed(raw);
    if (text.empty()) continue;
    const auto one = parse_one(text, size);
    if (!one || ++listed > max_ranges || one->size > left) return {};
    if (one->size == 0) continue;
    left -= one->size;
    r.ranges.push_back(*one);
  }
  if (listed == 0) return {};
  r.kind = r.ranges.empty() ? range_request::unsatisfiable : range_request::parts;
  return r;
}

}  // namespace weft::http::detail
