#include "net/http/proxy.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "net/fd/c_string.h"
#include "net/http/answer_head.h"

namespace weft::http::detail {
namespace {

result<http_url> proxy_of(std::string_view text) {
  const std::string full =
      text.find("://") == std::string_view::npos ? "http://" + std::string(text) : std::string(text);
  auto [u, err] = http_url_of(split_uri(full), encode::non_ascii);
  if (err || u.secure) return {{}, make_error_code(std::errc::invalid_argument)};
  return {std::move(u), {}};
}

std::optional<http_url> proxy_from(std::string_view text) {
  if (text.empty()) return {};
  auto [u, err] = proxy_of(text);
  return err ? std::nullopt : std::optional(std::move(u));
}

// A proxy that Go's client would use.
bool is_of_another_scheme(std::string_view text) {
  for (const std::string_view scheme : {"https://", "socks5://", "socks5h://"})
    if (same_word(text.substr(0, scheme.size()), scheme)) return true;
  return false;
}

struct ip {
  unsigned char bytes[16] = {};
  int bits = 0;  // 0: none
};

ip ip_of(std::string_view text) {
  ip at;
  if (weft::detail::parse_ip(AF_INET, text, at.bytes)) at.bits = 32;
  else if (weft::detail::parse_ip(AF_INET6, text, at.bytes)) at.bits = 128;
  return at;
}

bool is_loopback(const ip& at) {
  if (at.bits == 32) return at.bytes[0] == 127;
  return at.bits == 128 && std::memcmp(at.bytes, &in6addr_loopback, 16) == 0;
}

// "10.0.0.0/8"
bool is_in_block(const ip& at, std::string_view block) {
  const auto slash = block.find('/');
  const ip net = ip_of(block.substr(0, slash));
  int bits = net.bits;
  const std::string_view length = block.substr(slash + 1);
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || net.bits == 0 || net.bits != at.bits || bits < 0 || bits > net.bits) return false;
  for (int i = 0; i < bits; ++i) {
    const int mask = 0x80 >> (i % 8);
    if ((at.bytes[i / 8] & mask) != (net.bytes[i / 8] & mask)) return false;
  }
  return true;
}

// One entry of NO_PROXY: "*", an address, a block, or a domain with what is below it; each with a
// port or without.
bool matches(std::string_view entry, const http_url& u) {
  if (entry == "*") return true;
  const ip at = ip_of(u.host);
  if (entry.find('/') != std::string_view::npos) return is_in_block(at, entry);
  const auto colon = entry.rfind(':');
  const bool has_port = colon != std::string_view::npos && (entry.find(':') == colon || entry[colon - 1] == ']');
  if (has_port && entry.substr(colon + 1) != std::to_string(u.port)) return false;
  std::string_view host = has_port ? entry.substr(0, colon) : entry;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (at.bits > 0) {
    const ip same = ip_of(std::string(host));
    return same.bits == at.bits && std::memcmp(same.bytes, at.bytes, sizeof at.bytes) == 0;
  }
  const bool only_below = host.starts_with('.') || host.starts_with("*.");
  if (only_below) host.remove_prefix(host.find('.') + 1);
  const std::string_view name = u.host;
  if (same_word(name, host)) return !only_below;
  return name.size() > host.size() && same_word(name.substr(name.size() - host.size()), host) &&
         name[name.size() - host.size() - 1] == '.';
}

}  // namespace

proxies proxies::from_environment(const std::function<std::string(const char*)>& value) {
  const auto either = [&](const char* lower_case, const char* upper_case) {
    const std::string found = value(upper_case);
    return found.empty() ? value(lower_case) : found;
  };
  proxies p;
  p.uses_exceptions_ = true;
  // In a CGI program a client's field "Proxy" sets HTTP_PROXY.
  const bool is_cgi = !value("REQUEST_METHOD").empty();
  const std::string plain = is_cgi ? value("http_proxy") : either("http_proxy", "HTTP_PROXY");
  const std::string secure = either("https_proxy", "HTTPS_PROXY");
  p.plain_ = proxy_from(plain);
  p.secure_ = proxy_from(secure);
  p.plain_fails_ = is_of_another_scheme(plain);
  p.secure_fails_ = is_of_another_scheme(secure);
  const std::string list = either("no_proxy", "NO_PROXY");
  for (std::string_view rest = list; !rest.empty();) {
    const auto comma = rest.find(',');
    if (const std::string_view one = trimmed(rest.substr(0, comma)); !one.empty()) p.exceptions_.emplace_back(one);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return p;
}

proxies proxies::from_process() {
  return from_environment([](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value ? value : "");
  });
}

result<proxies> proxies::only(std::string_view url) {
  proxies p;
  if (url.empty()) return {std::move(p), {}};
  auto [u, err] = proxy_of(url);
  if (err) return {{}, err};
  p.plain_ = p.secure_ = std::move(u);
  return {std::move(p), {}};
}

bool proxies::is_excepted(const http_url& u) const {
  if (u.host == "localhost" || is_loopback(ip_of(u.host))) return true;
  return std::any_of(exceptions_.begin(), exceptions_.end(), [&](const std::string& one) { return matches(one, u); });
}

bool proxies::fails(const http_url& u) const { return (u.secure ? secure_fails_ : plain_fails_) && !is_excepted(u); }

const http_url* proxies::for_url(const http_url& u) const {
  const std::optional<http_url>& p = u.secure ? secure_ : plain_;
  if (!p || (uses_exceptions_ && is_excepted(u))) return nullptr;
  return &*p;
}

}  // namespace weft::http::detail
