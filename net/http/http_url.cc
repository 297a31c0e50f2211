#include "net/http/http_url.h"

#include <algorithm>
#include <charconv>

#include "net/fd/c_string.h"
#include "net/http/syntax.h"

namespace weft::http::detail {
namespace {

bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_escape(std::string_view s, std::size_t at) noexcept {
  return at + 2 < s.size() && hex_value(s[at + 1]) >= 0 && hex_value(s[at + 2]) >= 0;
}

bool is_scheme(std::string_view s) noexcept {
  return !s.empty() && is_alpha(s.front()) && std::all_of(s.begin(), s.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// Unreserved characters and sub-delims.
bool is_host_char(char c) noexcept {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_unsafe(char c) noexcept {
  return c == ' ' || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
}

// Appends `part` to `to`; false if a part of it cannot stand in a URI, encoded or not.
bool append_encoded(std::string& to, std::string_view part, encode how) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (is_control(c) || (c == ' ' && how == encode::non_ascii)) return false;
    if (c == '%' && !is_escape(part, i)) return false;
    if (is_unsafe(c)) {
      const auto byte = static_cast<unsigned char>(c);
      ((to += '%') += digits[byte >> 4]) += digits[byte & 15];
    } else {
      to += c;
    }
  }
  return true;
}

// "fe80::1%25eth0": RFC 6874.
bool take_ip_literal(std::string_view inside, std::string& host) {
  const auto zone = inside.find("%25");
  host = inside.substr(0, zone);
  in6_addr any;
  if (!weft::detail::parse_ip(AF_INET6, host, &any)) return false;
  if (zone == std::string_view::npos) return true;
  const std::string_view name = inside.substr(zone + 3);
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_host_char)) return false;
  (host += '%') += name;
  return true;
}

bool take_port(std::string_view text, int& port) {
  if (text.empty()) return true;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && port > 0 && port <= 65535;
}

bool take_authority(std::string_view a, http_url& u) {
  if (const auto at = a.find('@'); at != std::string_view::npos) {
    const std::string_view before = a.substr(0, at);
    const auto is_info = [](char c) { return is_host_char(c) || c == '%' || c == ':'; };
    if (!std::all_of(before.begin(), before.end(), is_info)) return false;
    u.userinfo = percent_decoded(before);
    if (!u.userinfo || std::any_of(u.userinfo->begin(), u.userinfo->end(), is_control)) return false;
    a.remove_prefix(at + 1);
  }
  std::string_view port;
  if (a.starts_with('[')) {
    const auto close = a.find(']');
    if (close == std::string_view::npos || !take_ip_literal(a.substr(1, close - 1), u.host)) return false;
    port = a.substr(close + 1);
    if (!port.empty() && port.front() != ':') return false;
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const auto colon = a.find(':');
    u.host = a.substr(0, colon);
    if (colon != std::string_view::npos) port = a.substr(colon + 1);
    if (u.host.empty() || u.host.size() > 255 || !std::all_of(u.host.begin(), u.host.end(), is_host_char)) return false;
    // Labels, perhaps with a final dot. "." would be no name for TLS, and ".a" any name below "a".
    if (u.host.front() == '.' || u.host.find("..") != std::string::npos) return false;
  }
  std::transform(u.host.begin(), u.host.end(), u.host.begin(), lower);
  return take_port(port, u.port);
}

std::string merged_path(const uri_parts& base, std::string_view reference) {
  if (base.authority && base.path.empty()) return "/" + std::string(reference);
  return base.path.substr(0, base.path.rfind('/') + 1) + std::string(reference);
}

}  // namespace

uri_parts split_uri(std::string_view text) {
  uri_parts u;
  if (const auto at = text.find('#'); at != std::string_view::npos) {
    u.fragment = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (const auto at = text.find('?'); at != std::string_view::npos) {
    u.query = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && colon < text.find('/') && is_scheme(text.substr(0, colon))) {
    u.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const auto end = std::min(text.find('/', 2), text.size());
    u.authority = text.substr(2, end - 2);
    text.remove_prefix(end);
  }
  u.path = text;
  return u;
}

uri_parts resolve_reference(const uri_parts& base, const uri_parts& r) {
  uri_parts t;
  t.fragment = r.fragment;
  t.scheme = r.scheme ? r.scheme : base.scheme;
  t.query = r.query;
  if (r.scheme || r.authority) {
    t.authority = r.authority;
    t.path = without_dot_segments(r.path);
    return t;
  }
  t.authority = base.authority;
  if (r.path.empty()) {
    t.path = base.path;
    if (!r.query) t.query = base.query;
  } else {
    t.path = without_dot_segments(r.path.starts_with('/') ? r.path : merged_path(base, r.path));
  }
  return t;
}

std::string to_text(const uri_parts& u) {
  std::string s;
  if (u.scheme) (s += *u.scheme) += ':';
  if (u.authority) (s += "//") += *u.authority;
  s += u.path;
  if (u.query) (s += '?') += *u.query;
  if (u.fragment) (s += '#') += *u.fragment;
  return s;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (!is_escape(text, i)) return {};
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

result<http_url> http_url_of(const uri_parts& u, encode how) {
  std::string scheme = u.scheme.value_or("");
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  if (scheme != "http" && scheme != "https") return {{}, make_error_code(std::errc::protocol_not_supported)};
  http_url to;
  to.secure = scheme == "https";
  to.port = to.secure ? 443 : 80;
  const std::error_code malformed = make_error_code(std::errc::invalid_argument);
  if (!u.authority || !take_authority(*u.authority, to)) return {{}, malformed};
  if (u.path.empty()) to.target = '/';
  if (!append_encoded(to.target, u.path, how)) return {{}, malformed};
  if (u.query && !append_encoded(to.target += '?', *u.query, how)) return {{}, malformed};
  return {std::move(to), {}};
}

namespace {

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : '[' + host + ']'; }

}  // namespace

std::string http_url::place() const { return bracketed(host) + ':' + std::to_string(port); }

std::string http_url::host_field() const {
  const std::string named = bracketed(host.substr(0, host.find('%')));
  return port == (secure ? 443 : 80) ? named : named + ':' + std::to_string(port);
}

std::string http_url::origin() const { return std::string(scheme()) + "://" + place(); }

}  // namespace weft::http::detail
