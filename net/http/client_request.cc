#include "net/http/client_request.h"

#include <algorithm>
#include <charconv>

namespace weft::http::detail {
namespace {

std::error_code invalid() { return make_error_code(std::errc::invalid_argument); }

std::size_t count(const header_list& all, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [name](const auto& f) { return same_word(f.first, name); }));
}
bool has(const header_list& all, std::string_view name) { return count(all, name) > 0; }

bool is_host_text(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
           std::string_view("/?#@\\,\"<>").find(c) == std::string_view::npos;
  });
}

// What r's body is said to have; nothing where that is unknown.
std::optional<std::uint64_t> body_size(const client_request& r) {
  if (r.body_parts) return r.body_size;
  return r.body.size();
}

// The caller's Content-Length is that of the body, or it is the size of the parts.
bool take_length(client_request& r) {
  if (count(r.headers, "Content-Length") > 1) return false;
  if (!has(r.headers, "Content-Length")) return true;
  const std::string_view text = trimmed(find_field(r.headers, "Content-Length"));
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (r.body_parts && !r.body_size) r.body_size = n;
  if (body_size(r) != n) return false;
  remove_fields(r.headers, "Content-Length");
  return true;
}

constexpr std::string_view of_the_body[] = {
    "Content-Type",        "Content-Length", "Content-Encoding", "Content-Language", "Content-Location",
    "Content-Disposition", "Content-Range",  "Digest",           "Content-Digest",   "Repr-Digest",
    "Content-MD5",         "Expect",         "Last-Modified"};

bool is_credential(std::string_view name) {
  constexpr std::string_view all[] = {"Authorization", "Cookie", "Cookie2", "WWW-Authenticate"};
  return std::any_of(std::begin(all), std::end(all), [&](std::string_view one) { return same_word(one, name); }) ||
         same_word(name.substr(0, 6), "Proxy-");
}

void drop_body(client_request& r) {
  r.body.clear();
  r.body_parts = nullptr;
  r.body_size.reset();
  std::erase_if(r.headers, [](const auto& f) {
    return std::any_of(std::begin(of_the_body), std::end(of_the_body),
                       [&](std::string_view one) { return same_word(one, f.first); });
  });
}

void use_userinfo(outgoing& o) {
  if (o.to.userinfo && !has(o.r.headers, "Authorization"))
    o.r.headers.emplace_back("Authorization", basic_authorization(*o.to.userinfo));
}

}  // namespace

bool outgoing::is_idempotent() const {
  constexpr std::string_view all[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(std::begin(all), std::end(all), r.method) != std::end(all);
}

std::error_code check_request(client_request& r) {
  if (!is_token(r.method) || r.method == "CONNECT") return invalid();
  if (r.method == "TRACE" && (r.body_parts || !r.body.empty())) return invalid();
  for (const auto& [name, value] : r.headers)
    if (!is_token(name) || !is_field_value(trimmed(value))) return invalid();
  // The client writes these, or two readers could disagree about where the body ends.
  if (has(r.headers, "Transfer-Encoding") || has(r.headers, "Trailer")) return invalid();
  if (count(r.headers, "Host") > 1 || count(r.headers, "User-Agent") > 1) return invalid();
  if (has(r.headers, "Host") && !is_host_text(trimmed(find_field(r.headers, "Host")))) return invalid();
  return take_length(r) ? std::error_code() : invalid();
}

result<outgoing> outgoing_of(client_request r) {
  if (const std::error_code e = check_request(r)) return {{}, e};
  outgoing o;
  o.at = split_uri(r.url);
  auto [to, err] = http_url_of(o.at, encode::non_ascii);
  if (err) return {{}, err};
  o.to = std::move(to);
  o.r = std::move(r);
  use_userinfo(o);
  return {std::move(o), {}};
}

bool is_redirect(int s) noexcept { return s == 301 || s == 302 || s == 303 || s == 307 || s == 308; }

std::error_code follow(outgoing& o, int status, std::string_view location) {
  const uri_parts reference = split_uri(trimmed(location));
  uri_parts at = resolve_reference(o.at, reference);
  auto [to, err] = http_url_of(at, encode::all_unsafe);
  if (err == std::errc::protocol_not_supported) return err;
  if (err) return make_error_code(std::errc::bad_message);
  if (status <= 303 && o.r.method != "GET" && o.r.method != "HEAD") {
    o.r.method = "GET";
    drop_body(o.r);
  }
  if (reference.authority) remove_fields(o.r.headers, "Host");
  if (to.origin() != o.to.origin()) std::erase_if(o.r.headers, [](const auto& f) { return is_credential(f.first); });
  o.at = std::move(at);
  o.to = std::move(to);
  use_userinfo(o);
  return {};
}

std::string basic_authorization(std::string_view userinfo) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text(userinfo), out = "Basic ";
  if (text.find(':') == std::string::npos) text += ':';
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> unsigned {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    const unsigned three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += digits[three >> 18];
    out += digits[three >> 12 & 63];
    out += i + 1 < text.size() ? digits[three >> 6 & 63] : '=';
    out += i + 2 < text.size() ? digits[three & 63] : '=';
  }
  return out;
}

namespace {

void append(std::string& to, std::string_view name, std::string_view value) {
  (((to += name) += ": ") += value) += "\r\n";
}

bool needs_length(const client_request& r) {
  return r.body_parts || !r.body.empty() || r.method == "POST" || r.method == "PUT" || r.method == "PATCH";
}

}  // namespace

std::string head_text(const outgoing& o, const std::string* proxy_authorization, std::string_view cookies) {
  const client_request& r = o.r;
  std::string text = r.method + ' ';
  text.reserve(256 + o.to.target.size());
  if (proxy_authorization) ((text += o.to.scheme()) += "://") += o.to.host_field();
  (text += o.to.target) += " HTTP/1.1\r\n";
  const std::string_view host = trimmed(find_field(r.headers, "Host"));
  append(text, "Host", host.empty() ? o.to.host_field() : std::string(host));
  if (!has(r.headers, "User-Agent")) append(text, "User-Agent", "weft");
  bool has_cookie = false;
  for (const auto& [name, value] : r.headers) {
    if (same_word(name, "Host") || (same_word(name, "User-Agent") && trimmed(value).empty())) continue;
    if (same_word(name, "Cookie") && !cookies.empty() && !has_cookie) {
      has_cookie = true;
      append(text, name, value + "; " + std::string(cookies));
    } else {
      append(text, name, trimmed(value));
    }
  }
  if (!cookies.empty() && !has_cookie) append(text, "Cookie", cookies);
  if (proxy_authorization && !proxy_authorization->empty() && !has(r.headers, "Proxy-Authorization"))
    append(text, "Proxy-Authorization", *proxy_authorization);
  if (o.accepts_gzip) append(text, "Accept-Encoding", "gzip");
  if (const auto n = body_size(r); !n) append(text, "Transfer-Encoding", "chunked");
  else if (needs_length(r)) append(text, "Content-Length", std::to_string(*n));
  return text += "\r\n";
}

}  // namespace weft::http::detail
