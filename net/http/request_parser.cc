#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include "net/http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <limits>

namespace weft::http::detail {

namespace {

constexpr int bad_request = 400, too_large = 413, expectation_failed = 417, fields_too_large = 431,
              not_implemented = 501, version_not_supported = 505;
// Bytes of chunk extensions beyond the size of the body.
constexpr std::uint64_t max_extension_bytes = 16 << 10;

std::string_view view(boost::beast::string_view s) { return {s.data(), s.size()}; }

// The request line ends in a version that is well formed: "HTTP/2.0".
bool names_a_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  if (line.size() < 9) return false;
  const std::string_view last = line.substr(line.size() - 9);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return last.starts_with(" HTTP/") && digit(last[6]) && last[7] == '.' && digit(last[8]);
}

int status_of(const boost::beast::error_code& e, std::string_view head) {
  if (e == beast_http::error::bad_version && names_a_version(head)) return version_not_supported;
  return bad_request;
}

}  // namespace

head_finder::found head_finder::look(std::string_view text) noexcept {
  if (!text.empty() && text[0] != '\r' && !is_token(text.substr(0, 1))) return found::bad;
  if (text.size() > 1 && text[0] == '\r' && text[1] != '\n') return found::bad;
  while (seen_ < text.size()) {
    const void* at = std::memchr(text.data() + seen_, '\n', text.size() - seen_);
    if (!at) {
      seen_ = text.size();
      break;
    }
    const auto i = static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
    if (i == 0 || text[i - 1] != '\r') return found::bad;
    const bool empty = i - line_ == 1;
    seen_ = end_ = i + 1;
    if (empty && line_ == 0) {
      seen_ = 0;
      return found::empty_line;
    }
    line_ = i + 1;
    if (empty) return found::head;
  }
  return found::nothing;
}

request_parser::request_parser() {
  // The limits are ours. An absent body limit is one of 0 in some releases of Beast.
  header_limit(std::numeric_limits<std::uint32_t>::max());
  body_limit(std::numeric_limits<std::uint64_t>::max());
  eager(true);
}

int request_parser::parse_head(std::string_view text) {
  head_ = text;
  error_code e;
  fields.reserve(8);
  const std::size_t n = put(boost::asio::buffer(text.data(), text.size()), e);
  if (refused_ != 0) return refused_;
  if (e && e != beast_http::error::need_more) return status_of(e, text);
  if (!is_header_done() || n != text.size()) return bad_request;
  const auto t = detail::parse_target(method, target_text);
  if (!t) return bad_request;
  target = *t;
  keeps_alive = wants_to_stay();
  for (const auto check : {&request_parser::check_host, &request_parser::check_framing, &request_parser::check_expect})
    if (const int status = (this->*check)(); status != 0) return status;
  return 0;
}

// RFC 9112 9.3: "close" wins in each version.
bool request_parser::wants_to_stay() const {
  bool stay = version >= 11;
  for (const header_field& f : fields) {
    if (!same_word(f.name, "Connection")) continue;
    if (has_word(f.value, "close")) return false;
    stay = stay || has_word(f.value, "keep-alive");
  }
  return stay;
}

// RFC 9112 3.2: exactly one in HTTP/1.1. The authority of the target, in absolute form or of a
// CONNECT, replaces it.
int request_parser::check_host() {
  header_field* host = nullptr;
  for (header_field& f : fields) {
    if (!same_word(f.name, "Host")) continue;
    if (host) return bad_request;
    host = &f;
  }
  if (!host) {
    if (version >= 11) return bad_request;
    if (!target.authority.empty()) fields.push_back({"Host", target.authority});
    return 0;
  }
  const auto a = parse_authority(host->value);
  if (!a || a->has_userinfo) return bad_request;
  if (!target.authority.empty()) host->value = target.authority;
  return 0;
}

// RFC 9112 6: how long the body is. Never a guess.
int request_parser::check_framing() {
  const header_field *coding = nullptr, *size = nullptr;
  for (const header_field& f : fields) {
    const bool is_coding = same_word(f.name, "Transfer-Encoding");
    if (!is_coding && !same_word(f.name, "Content-Length")) continue;
    const header_field*& one = is_coding ? coding : size;
    if (one) return bad_request;
    one = &f;
  }
  if (coding) {
    if (size || version < 11) return bad_request;
    if (!same_word(coding->value, "chunked")) return not_implemented;
    chunked = true;
  }
  if (size) {
    const auto n = decimal(size->value);
    if (!n) return bad_request;
    length = *n;
  }
  return 0;
}

int request_parser::check_expect() {
  for (const header_field& f : fields) {
    if (!same_word(f.name, "Expect")) continue;
    if (!same_word(f.value, "100-continue")) return expectation_failed;
    expects_continue = version >= 11 && (chunked || length > 0);
  }
  return 0;
}

std::string_view request_parser::field(std::string_view name) const noexcept {
  for (const header_field& f : fields)
    if (same_word(f.name, name)) return f.value;
  return {};
}

request_parser::decoded_part request_parser::decode(std::string_view from, std::span<std::byte> to,
                                                    std::uint64_t max_body) {
  // What a last chunk has at least, and what Beast asserts.
  constexpr std::size_t least = std::string_view("0\r\n\r\n").size();
  if (chunk_left_ == 0 && from.size() < least) return {};
  room_ = to;
  produced_ = 0;
  max_body_ = max_body;
  error_code e;
  decoded_part part;
  part.consumed = put(boost::asio::buffer(from.data(), from.size()), e);
  part.produced = produced_;
  part.done = is_done();
  if (refused_ != 0) part.refused = refused_;
  else if (e && e != beast_http::error::need_more && e != beast_http::error::need_buffer) part.refused = bad_request;
  return part;
}

void request_parser::on_request_impl(verb, string_view method_text, string_view target_in, int v, error_code& e) {
  method = view(method_text);
  target_text = view(target_in);
  version = v;
  e = {};
}

// RFC 9112 5.2: a folded line is refused. Beast joins its parts elsewhere, or leaves a line break
// before the value.
void request_parser::on_field_impl(beast_http::field, string_view name, string_view value, error_code& e) {
  if (is_header_done()) {
    if (trailers.size() >= max_fields) {
      refused_ = fields_too_large;
      e = beast_http::error::header_limit;
      return;
    }
    trailers.emplace_back(std::string(view(name)), std::string(view(value)));
    return;
  }
  if (fields.size() >= max_fields) {
    refused_ = fields_too_large;
    e = beast_http::error::header_limit;
    return;
  }
  const char* const begin = name.data() + name.size();
  const bool in_place = value.data() >= begin && value.data() + value.size() <= head_.data() + head_.size();
  if (!value.empty() &&
      (!in_place || std::memchr(begin, '\r', static_cast<std::size_t>(value.data() - begin)) != nullptr)) {
    refused_ = bad_request;
    e = beast_http::error::bad_value;
    return;
  }
  fields.push_back({view(name), view(value)});
}

// A body of known length is read elsewhere.
std::size_t request_parser::on_body_impl(string_view, error_code& e) {
  e = beast_http::error::need_buffer;
  return 0;
}

// RFC 9112 7.1.1 allows no control in an extension, also between quotes, where Beast takes all: a
// front end that ends a line at LF would see other chunks.
void request_parser::on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& e) {
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::any_of(extensions.begin(), extensions.end(), is_control)) refused_ = bad_request;
  extension_bytes_ += extensions.size();
  if (extension_bytes_ > max_extension_bytes + body_size_) refused_ = bad_request;
  if (size > max_body_ || body_size_ > max_body_ - size) refused_ = too_large;
  body_size_ += size;
  chunk_left_ = size;
  if (refused_ != 0) e = beast_http::error::body_limit;
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view data, error_code& e) {
  const std::size_t n = std::min(data.size(), room_.size() - produced_);
  if (n > 0) std::memcpy(room_.data() + produced_, data.data(), n);
  produced_ += n;
  chunk_left_ -= n;
  if (n < data.size()) e = beast_http::error::need_buffer;
  return n;
}

}  // namespace weft::http::detail
