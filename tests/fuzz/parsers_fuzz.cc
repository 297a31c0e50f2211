// The parsers of HTTP that need no connection: the first byte says which, the rest is its input. An
// input is accepted or refused, within its own memory, and what is accepted has the properties that
// the server relies on.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "net/http/multipart.h"
#include "net/http/mux_pattern.h"
#include "net/http/precondition.h"
#include "net/http/range.h"
#include "net/http/request_parser.h"

namespace {

using namespace weft::http;
using namespace weft::http::detail;

void must(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void target(std::string_view text) {
  for (const char* method : {"GET", "OPTIONS", "CONNECT"}) {
    const auto t = parse_target(method, text);
    if (!t || t->form == request_target::form_of::authority) continue;
    if (t->form == request_target::form_of::asterisk) continue;
    must(t->path == "*" || t->path.starts_with('/'), "a path begins with a slash");
    must(t->path.find_first_of(std::string_view(" \r\n\0?#", 6)) == t->path.npos, "a path has no delimiter");
    const std::string clean = clean_path(t->path);
    must(clean_path(clean) == clean, "a clean path stays as it is");
    for (const std::string& s : split(clean).segments) must(s != "." && s != "..", "a clean path has no dot segments");
    must(!clean.starts_with("//"), "a clean path names no host");
  }
}

void uris(std::string_view text) {
  (void)parse_authority(text);
  if (const auto u = parse_uri(text)) must(u->path.size() + u->query.size() <= text.size(), "components are parts");
  const std::string escaped = escaped_uri(text);
  must(escaped.find_first_of(std::string_view(" \r\n\0\"<>", 7)) == escaped.npos, "an escaped URI has no delimiter");
  for (const char c : printable(text)) must(c >= 32 && c < 127, "a log has one line");
}

void range(std::string_view text) {
  for (const std::uint64_t size : {0U, 1U, 1000U}) {
    const auto r = parse_range(text, size);
    must((r.kind == range_request::parts) == !r.ranges.empty(), "parts are ranges");
    must(r.ranges.size() <= max_ranges, "ranges are bounded");
    std::uint64_t all = 0;
    for (const byte_range& one : r.ranges) {
      must(one.size > 0 && one.first < size && one.size <= size - one.first, "a range is in its file");
      all += one.size;
    }
    must(all <= size, "ranges are not more than the file");
  }
  (void)lists_etag(text, "\"a\"", comparison::weak);
  (void)parse_http_date(text);
}

void form(std::string_view text) {
  const auto parts = parse_multipart(text, "b");
  if (!parts) return;
  std::size_t all = 0;
  for (const form_part& p : *parts) {
    all += p.content.size();
    must(p.content.empty() ||
             (p.content.data() >= text.data() && p.content.data() + p.content.size() <= text.data() + text.size()),
         "a content lies in the body");
  }
  must(all <= text.size() && parts->size() <= max_form_parts, "parts do not overlap");
}

void head(std::string_view text) {
  head_finder finder;
  if (finder.look(text) != head_finder::found::head) return;
  const std::string copy(text.substr(0, finder.end()));
  request_parser p;
  if (p.parse_head(copy) != 0) return;
  must(p.version == 10 || p.version == 11, "a version is 1.0 or 1.1");
  must(is_token(p.method), "a method is a token");
  must(!p.chunked || (p.length == 0 && p.version == 11), "one framing");
  for (const header_field& f : p.fields) {
    must(is_token(f.name), "a name is a token");
    must(is_field_value(f.value), "a value has no control character");
  }
  if (!p.chunked) return;
  std::string rest(text.substr(finder.end())), body(100, '\0');
  for (int i = 0; i < 1000; ++i) {
    const auto part = p.decode(rest, std::as_writable_bytes(std::span(body)), 1000);
    must(part.consumed <= rest.size() && part.produced <= body.size(), "chunks are decoded in place");
    rest.erase(0, part.consumed);
    if (part.done || part.refused != 0 || (part.consumed == 0 && part.produced == 0)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: head(text); break;
    case 1: target(text); break;
    case 2: uris(text); break;
    case 3: range(text); break;
    default: form(text); break;
  }
  return 0;
}
