#include <weft/endpoint.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace weft::net {
namespace {

// An IPv4 peer as a socket of both families sees it.
bool is_mapped(const endpoint& at) noexcept {
  return at.family() == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6*>(at.address())->sin6_addr);
}

}  // namespace

endpoint::endpoint(const sockaddr* at, socklen_t length, int type) noexcept
    : length_(static_cast<std::uint8_t>(std::min<std::size_t>(length, sizeof at_))),
      type_(static_cast<std::uint8_t>(type)) {
  std::memcpy(&at_, at, length_);
}

int endpoint::port() const noexcept {
  if (family() == AF_INET) return ntohs(at_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(at_.v6.sin6_port);
  return 0;
}

std::string endpoint::host() const {
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
  if (family() == AF_INET) return inet_ntop(AF_INET, &at_.v4.sin_addr, text, sizeof text);
  if (is_mapped(*this)) return inet_ntop(AF_INET, &at_.v6.sin6_addr.s6_addr[12], text, sizeof text);
  if (family() == AF_INET6) {
    std::string s = inet_ntop(AF_INET6, &at_.v6.sin6_addr, text, sizeof text);
    if (const unsigned zone = at_.v6.sin6_scope_id) {
      char name[IF_NAMESIZE];
      s += '%';
      s += if_indextoname(zone, name) ? std::string(name) : std::to_string(zone);
    }
    return s;
  }
  if (family() != AF_UNIX || length_ == 0) return {};
  constexpr std::size_t begin = offsetof(sockaddr_un, sun_path);
  if (length_ <= begin) return {};
  const std::size_t n = length_ - begin;
  if (at_.path.sun_path[0] == '\0') return '@' + std::string(at_.path.sun_path + 1, n - 1);
  return {at_.path.sun_path, strnlen(at_.path.sun_path, n)};
}

std::string endpoint::to_string() const {
  if (family() == AF_INET || is_mapped(*this)) return fmt::format("{}:{}", host(), port());
  if (family() == AF_INET6) return fmt::format("[{}]:{}", host(), port());
  return host();
}

std::string_view endpoint::network() const noexcept {
  const bool path = family() == AF_UNIX;
  switch (length_ == 0 ? 0 : type_) {
    case SOCK_STREAM: return path ? "unix" : "tcp";
    case SOCK_DGRAM: return path ? "unixgram" : "udp";
    case SOCK_SEQPACKET: return "unixpacket";
    default: return {};
  }
}

bool operator==(const endpoint& a, const endpoint& b) noexcept {
  return a.length_ == b.length_ && a.type_ == b.type_ && std::memcmp(&a.at_, &b.at_, a.length_) == 0;
}

}  // namespace weft::net
