// Which answers are compressed: answers of a marked handler, for a client that accepts gzip.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <algorithm>

#include "net/http/exchange.h"

namespace weft::http {

using namespace detail;

namespace {

// Less is not worth it.
constexpr std::size_t least_compressed = 256;

// RFC 9110 12.5.3: "gzip" or "*" with a weight other than 0.
bool accepts_gzip(std::string_view list) {
  bool any = false;
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    const auto semicolon = one.find(';');
    const std::string_view coding = trimmed(one.substr(0, semicolon));
    std::string_view weight = semicolon == one.npos ? "q=1" : trimmed(one.substr(semicolon + 1));
    const bool refused = same_word(weight.substr(0, 3), "q=0") && weight.find_first_not_of("0.", 2) == weight.npos;
    if (same_word(coding, "gzip")) return !refused;
    if (coding == "*") any = !refused;
  }
  return any;
}

bool is_compressible(std::string_view type) {
  type = trimmed(type.substr(0, type.find(';')));
  for (const std::string_view known : {"application/json", "application/javascript", "application/xml",
                                       "application/xhtml+xml", "image/svg+xml", "application/wasm"})
    if (same_word(type, known)) return true;
  return type.empty() || same_word(type.substr(0, 5), "text/");
}

bool accepts_gzip(const std::vector<header_field>& fields) {
  for (const header_field& f : fields)
    if (same_word(f.name, "Accept-Encoding") && accepts_gzip(f.value)) return true;
  return false;
}

// A compressed answer differs from the plain one byte by byte, so its tag must not be the strong
// one.
void weaken_tag(exchange& x) {
  for (auto& [name, value] : x.headers)
    if (same_word(name, "ETag") && !value.starts_with("W/")) value.insert(0, "W/");
}

}  // namespace

namespace detail {

// Before the head is sent. `size`: of the body as far as it is known, all of it if `last`.
void exchange::begin_compression(std::size_t size, bool last) {
  if (compress && status == 304) {  // with what the answer 200 had had (RFC 9110 section 15.4.5)
    headers.emplace_back("Vary", "Accept-Encoding");
    if (accepts_gzip(request.fields)) weaken_tag(*this);
    return;
  }
  const response_writer w(*this);
  const bool is_head = request.method == "HEAD";
  if (!compress || (!sends_body() && !(is_head && status >= 200 && status != 204)) || status == 206) return;
  if (is_head && length) size = *length;
  if (last && size < least_compressed) return;
  if (!w.header("Content-Encoding").empty() || !w.header("Content-Range").empty()) return;
  const std::string_view type = w.header("Content-Type");
  if (!is_compressible(type) || same_word(type, "text/event-stream")) return;
  headers.emplace_back("Vary", "Accept-Encoding");
  auto made = accepts_gzip(request.fields) ? make_deflater() : nullptr;
  if (!made) return;
  if (is_head) {
    packs_head = true;
    length.reset();  // that of the compressed body is not known
  } else {
    packer = std::move(made);
  }
  headers.emplace_back("Content-Encoding", "gzip");
  weaken_tag(*this);
}

}  // namespace detail

handler compressed(handler h) {
  return [h = std::move(h)](response_writer& w, const request& r) {
    w.x_.compress = true;
    h(w, r);
  };
}

}  // namespace weft::http
