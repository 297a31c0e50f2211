#include "net/socket/resolve.h"

#include <netdb.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "net/fd/c_string.h"
#include "net/poller/choose.h"
#include "net/socket/lookup.h"

namespace weft::detail {
namespace {

using net::endpoint;

struct network_kind {
  int family = AF_UNSPEC;   // AF_UNIX, or the version of IP
  int type = 0;             // 0: no such network
};

network_kind kind_of(std::string_view name) {
  if (name == "tcp") return {AF_UNSPEC, SOCK_STREAM};
  if (name == "tcp4") return {AF_INET, SOCK_STREAM};
  if (name == "tcp6") return {AF_INET6, SOCK_STREAM};
  if (name == "udp") return {AF_UNSPEC, SOCK_DGRAM};
  if (name == "udp4") return {AF_INET, SOCK_DGRAM};
  if (name == "udp6") return {AF_INET6, SOCK_DGRAM};
  if (name == "unix") return {AF_UNIX, SOCK_STREAM};
  if (name == "unixgram") return {AF_UNIX, SOCK_DGRAM};
  if (name == "unixpacket") return {AF_UNIX, SOCK_SEQPACKET};
  return {};
}

// A name, or a number with or without a zone: no space, no control character, no bracket.
bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u > ' ' && u != 0x7f && c != '[' && c != ']';
  });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 0 to 65535 in digits, or the name of a service.
bool is_port(std::string_view port) {
  if (std::all_of(port.begin(), port.end(), is_digit)) {
    int number = 0;
    for (const char c : port)
      if ((number = 10 * number + (c - '0')) > 65535) return false;
    return true;
  }
  const auto of_a_name = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
           c == '+';
  };
  return !is_digit(port.front()) && port.front() != '+' && port.front() != '-' &&
         std::all_of(port.begin(), port.end(), of_a_name);
}

result<question> split(std::string_view address, network_kind kind) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return {{}, net::errc::missing_port};
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return {{}, net::errc::missing_port};  // "[::1]" or "[::1"
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return {{}, net::errc::bad_address};  // too many colons
  }
  if (!is_host(host)) return {{}, net::errc::bad_address};
  if (!is_port(port)) return {{}, net::errc::bad_port};
  return {{std::string(host), port.empty() ? "0" : std::string(port), kind.family, kind.type}, {}};
}

result<std::vector<endpoint>> unix_address(std::string_view path, network_kind kind) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  const bool abstract = !path.empty() && path.front() == '@';
  if (!abstract && has_nul(path)) return {{}, net::errc::bad_address};
  if (path.size() > sizeof a.sun_path - (abstract ? 0 : 1)) return {{}, net::errc::name_too_long};
  std::memcpy(a.sun_path, path.data(), path.size());
  if (abstract) a.sun_path[0] = '\0';
  const std::size_t length = offsetof(sockaddr_un, sun_path) + path.size() + (abstract || path.empty() ? 0 : 1);
  return {{endpoint(reinterpret_cast<sockaddr*>(&a), static_cast<socklen_t>(length), kind.type)}, {}};
}

}  // namespace

result<std::vector<endpoint>> resolve(const context* ctx, std::string_view network, std::string_view address,
                                      purpose what) {
  refuse_in_simulation();
  const network_kind kind = kind_of(network);
  if (!kind.type) return {{}, net::errc::unknown_network};
  if (kind.family == AF_UNIX) return unix_address(address, kind);
  auto [at, wrong] = split(address, kind);
  if (wrong) return {{}, wrong};
  const bool listens = what == purpose::to_listen;
  at.flags = listens ? AI_PASSIVE : 0;
  if (at.host.empty() && listens) {
    // All interfaces: one socket for both families where there are both.
    if (kind.family == AF_UNSPEC) at.host = "::";
    else return ask_system(at);
  }
  question numeric = at;
  numeric.flags |= AI_NUMERICHOST | AI_NUMERICSERV;
  auto found = ask_system(numeric);
  if (found || found.err.category() != net::lookup_category()) return found;
  found = look_up(ctx ? *ctx : background(), std::move(at));
  // A name of both families is listened for at its IPv4 address, as Go does.
  if (listens && kind.family == AF_UNSPEC)
    std::stable_partition(found.value.begin(), found.value.end(),
                          [](const endpoint& e) { return e.family() == AF_INET; });
  return found;
}

}  // namespace weft::detail

namespace weft::net {

namespace {

class address_errors final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.net"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::unknown_network:
        return "unknown network; known are tcp, udp (with 4 or 6), unix, unixgram, unixpacket";
      case errc::missing_port: return "missing port in address";
      case errc::bad_port: return "port out of range: 0 to 65535";
      case errc::bad_address: return "malformed address; an IPv6 address with a port is [address]:port";
      case errc::name_too_long: return "the path of a Unix socket has at most 107 bytes";
      case errc::no_address: return "no suitable address";
      case errc::too_many_descriptors: return "a message carries at most 253 descriptors";
      case errc::descriptors_lost:
        return "more descriptors came than there was room for, or than this process may open; all are closed";
    }
    return "unknown error " + std::to_string(code);
  }
};

class lookup_errors final : public std::error_category {
 public:
  const char* name() const noexcept override { return "lookup"; }
  std::string message(int code) const override { return gai_strerror(code); }
};

}  // namespace

const std::error_category& net_category() noexcept {
  static const address_errors c;
  return c;
}

const std::error_category& lookup_category() noexcept {
  static const lookup_errors c;
  return c;
}

result<std::vector<endpoint>> lookup_host(const context& ctx, std::string_view host) {
  if (host.empty() || !weft::detail::is_host(host)) return {{}, errc::bad_address};
  return weft::detail::look_up(ctx, {std::string(host), "0", AF_UNSPEC, SOCK_STREAM});
}

result<std::vector<endpoint>> lookup_host(std::string_view host) { return lookup_host(background(), host); }

}  // namespace weft::net
