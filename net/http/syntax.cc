#include "net/http/syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "net/fd/c_string.h"

namespace weft::http::detail {

namespace {

// What a byte may be part of.
enum : unsigned {
  token = 1,        // RFC 9110 5.6.2
  value = 2,        // a field value
  unreserved = 4,   // these by RFC 3986
  sub_delim = 8,
  in_path = 16,     // pchar and '/', without '%'
  in_query = 32,    // in_path and '?'
  browser_path = 64,
  browser_query = 128,
  in_userinfo = 256,
};

constexpr std::array<unsigned, 256> make_kinds() {
  std::array<unsigned, 256> k{};
  const auto set = [&k](std::string_view all, unsigned bits) {
    for (const char c : all) k[static_cast<unsigned char>(c)] |= bits;
  };
  constexpr std::string_view alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  set(alnum, token | unreserved | in_path | in_query);
  set("!#$%&'*+-.^_`|~", token);
  set("-._~", unreserved | in_path | in_query);
  set("!$&'()*+,;=", sub_delim | in_path | in_query);
  set(":@/", in_path | in_query);
  set("?", in_query);
  set(":", in_userinfo);
  set("[]|^", browser_path | browser_query);
  set("{}`\\", browser_query);
  for (unsigned c = 32; c < 256; ++c)
    if (c != 127) k[c] |= value;
  k['\t'] |= value;
  return k;
}

constexpr std::array<unsigned, 256> kinds = make_kinds();

bool is(char c, unsigned bits) noexcept { return (kinds[static_cast<unsigned char>(c)] & bits) != 0; }

bool all_are(std::string_view s, unsigned bits) noexcept {
  return std::all_of(s.begin(), s.end(), [bits](char c) { return is(c, bits); });
}

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

int hex(char c) noexcept {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Each byte is one of `bits` or part of a percent encoding.
bool is_encoded(std::string_view s, unsigned bits) noexcept {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (is(s[i], bits)) continue;
    if (s[i] != '%' || i + 2 >= s.size() || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0) return false;
    i += 2;
  }
  return true;
}

bool is_ipv6(std::string_view s) noexcept {
  in6_addr to;
  return weft::detail::parse_ip(AF_INET6, s, &to);
}

bool is_host(std::string_view s) noexcept {
  if (s.starts_with('[')) return s.size() > 2 && s.ends_with(']') && is_ipv6(s.substr(1, s.size() - 2));
  return is_encoded(s, unreserved | sub_delim);
}

bool is_port(std::string_view s) noexcept {
  const auto n = decimal(s);
  return s.empty() || (n && *n <= 65535);
}

bool is_scheme(std::string_view s) noexcept {
  if (s.empty() || lower(s[0]) < 'a' || lower(s[0]) > 'z') return false;
  return std::all_of(s.begin(), s.end(), [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '-' || c == '.';
  });
}

// Splits the path and the query.
std::optional<request_target> with_path(std::string_view s, request_target t) noexcept {
  const auto mark = s.find('?');
  t.path = s.substr(0, mark);
  if (mark != std::string_view::npos) t.query = s.substr(mark + 1);
  if (!is_encoded(t.path, in_path | browser_path) || t.path.find("%00") != std::string_view::npos) return std::nullopt;
  if (!is_encoded(t.query, in_query | browser_path | browser_query)) return std::nullopt;
  return t;
}

}  // namespace

bool is_token(std::string_view s) noexcept { return !s.empty() && all_are(s, token); }

std::string_view trimmed(std::string_view s) noexcept {
  const auto first = s.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

bool is_field_value(std::string_view s) noexcept { return all_are(s, value) && trimmed(s).size() == s.size(); }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool has_word(std::string_view list, std::string_view word) noexcept {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    if (same_word(trimmed(one), word)) return true;
    list.remove_prefix(std::min(list.size(), one.size() + 1));
  }
  return false;
}

std::optional<std::uint64_t> decimal(std::string_view s) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (s.empty()) return std::nullopt;
  std::uint64_t n = 0;
  for (const char c : s) {
    if (!is_digit(c)) return std::nullopt;
    const auto d = static_cast<std::uint64_t>(c - '0');
    if (n > (most - d) / 10) return std::nullopt;
    n = n * 10 + d;
  }
  return n;
}

std::optional<authority> parse_authority(std::string_view s) noexcept {
  authority a;
  if (const auto at = s.rfind('@'); at != std::string_view::npos) {
    a.has_userinfo = true;
    a.userinfo = s.substr(0, at);
    s.remove_prefix(at + 1);
    if (!is_encoded(a.userinfo, unreserved | sub_delim | in_userinfo)) return std::nullopt;
  }
  const auto colon = s.find(':', s.starts_with('[') ? std::min(s.find(']'), s.size()) : 0);
  a.host = s.substr(0, colon);
  if (colon != std::string_view::npos) a.port = s.substr(colon + 1);
  if (!is_host(a.host) || !is_port(a.port)) return std::nullopt;
  return a;
}

std::optional<uri> parse_uri(std::string_view s) noexcept {
  uri u;
  if (const auto hash = s.find('#'); hash != std::string_view::npos) {
    u.has_fragment = true;
    u.fragment = s.substr(hash + 1);
    s = s.substr(0, hash);
  }
  if (const auto mark = s.find('?'); mark != std::string_view::npos) {
    u.has_query = true;
    u.query = s.substr(mark + 1);
    s = s.substr(0, mark);
  }
  if (const auto colon = s.find(':'); colon != std::string_view::npos && colon < s.find('/')) {
    u.scheme = s.substr(0, colon);
    s.remove_prefix(colon + 1);
    if (!is_scheme(u.scheme)) return std::nullopt;
  }
  if (s.starts_with("//")) {
    u.has_authority = true;
    u.authority = s.substr(2, s.find('/', 2) - 2);
    s.remove_prefix(2 + u.authority.size());
    if (!parse_authority(u.authority)) return std::nullopt;
  }
  u.path = s;
  if (!is_encoded(u.path, in_path | browser_path)) return std::nullopt;
  constexpr unsigned rest = in_query | browser_path | browser_query;
  if (!is_encoded(u.query, rest) || !is_encoded(u.fragment, rest)) return std::nullopt;
  return u;
}

std::string without_dot_segments(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    if (in.starts_with("../")) in.remove_prefix(3);
    else if (in.starts_with("./")) in.remove_prefix(2);
    else if (in.starts_with("/./")) in.remove_prefix(2);
    else if (in == "/.") in = "/";
    else if (in.starts_with("/../") || in == "/..") {
      in = in == "/.." ? std::string_view("/") : in.substr(3);
      const auto cut = out.rfind('/');
      out.resize(cut == std::string::npos ? 0 : cut);
    } else if (in == "." || in == "..") {
      in = {};
    } else {
      const std::string_view segment = in.substr(0, in.find('/', 1));
      out += segment;
      in.remove_prefix(segment.size());
    }
  }
  return out;
}

std::optional<request_target> parse_target(std::string_view method, std::string_view target) noexcept {
  using enum request_target::form_of;
  request_target t;
  if (method == "CONNECT") {
    const auto a = parse_authority(target);
    if (!a || a->has_userinfo || a->host.empty() || a->port.empty()) return std::nullopt;
    t.form = authority;
    t.authority = target;
    return t;
  }
  if (target.starts_with('/')) return with_path(target, t);
  if (target == "*") {
    if (method != "OPTIONS") return std::nullopt;
    t.form = asterisk;
    t.path = target;
    return t;
  }
  const auto colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  if (const std::string_view scheme = target.substr(0, colon);
      !same_word(scheme, "http") && !same_word(scheme, "https"))
    return std::nullopt;
  target.remove_prefix(colon + 3);
  t.form = absolute;
  t.authority = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(t.authority.size());
  if (const auto a = parse_authority(t.authority); !a || a->has_userinfo || a->host.empty()) return std::nullopt;
  auto all = with_path(target, t);
  if (all && all->path.empty()) all->path = method == "OPTIONS" && target.empty() ? "*" : "/";
  return all;
}

std::string decoded(std::string_view s, encoding e) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
      out += static_cast<char>(hex(s[i + 1]) * 16 + hex(s[i + 2]));
      i += 2;
    } else {
      out += s[i] == '+' && e == encoding::query ? ' ' : s[i];
    }
  }
  return out;
}

std::string escaped_uri(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (const char c : s) {
    if (is(c, in_query) || c == '%' || c == '#' || c == '[' || c == ']') out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string printable(std::string_view s, std::size_t most) {
  std::string out;
  for (const char c : s.substr(0, most)) {
    if (c >= 32 && c < 127 && c != '\\') out += c;
    else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (s.size() > most) out += "...";
  return out;
}

}  // namespace weft::http::detail
