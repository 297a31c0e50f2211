#include "net/resolve.h"

#include <netdb.h>
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/select.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

namespace weft::detail {
namespace {

using net::endpoint;

struct network_kind {
  int family = AF_UNSPEC;   // AF_UNIX, or what is wanted of IP
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

struct host_and_port {
  std::string host, port;
};

result<host_and_port> split(std::string_view address) {
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
  if (host.find_first_of("[]\0") != std::string_view::npos) return {{}, net::errc::bad_address};
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_number = error != std::errc::invalid_argument && end == port.data() + port.size();
  if (is_number && (error != std::errc() || number < 0 || number > 65535)) return {{}, net::errc::bad_port};
  return {{std::string(host), port.empty() ? "0" : std::string(port)}, {}};
}

std::error_code lookup_error(int e) {
  if (e == EAI_SYSTEM) return {errno, std::system_category()};
  return {e, net::lookup_category()};
}

// Blocks the thread, unless the host is a number.
result<std::vector<endpoint>> ask_system(const host_and_port& at, network_kind kind, int flags) {
  addrinfo hints{};
  hints.ai_family = kind.family;
  hints.ai_socktype = kind.type;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const char* host = at.host.empty() ? nullptr : at.host.c_str();
  if (const int e = getaddrinfo(host, at.port.c_str(), &hints, &list)) return {{}, lookup_error(e)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  std::vector<endpoint> found;
  for (const addrinfo* a = list; a; a = a->ai_next)
    if (a->ai_family == AF_INET || a->ai_family == AF_INET6) found.emplace_back(a->ai_addr, a->ai_addrlen, kind.type);
  if (found.empty()) return {{}, net::errc::no_address};
  return {std::move(found), {}};
}

// A resolver that does not answer holds up a thread, not the caller whose context is over.
result<std::vector<endpoint>> ask_in_background(const context& ctx, host_and_port at, network_kind kind, int flags) {
  if (const std::error_code e = ctx.err()) return {{}, e};
  if (!in_fiber() || !ctx.done()) return blocking([&] { return ask_system(at, kind, flags); });
  using answer = result<std::vector<endpoint>>;
  auto answers = make_chan<answer>(1);
  go([answers, at = std::move(at), kind, flags] {
    answers.send(blocking([&] { return ask_system(at, kind, flags); }));
  });
  auto [got, err] = answers.recv(ctx);
  if (err) return {{}, err};
  return std::move(*got);
}

result<std::vector<endpoint>> unix_address(std::string_view path, network_kind kind) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  const bool abstract = !path.empty() && path.front() == '@';
  if (path.size() > sizeof a.sun_path - (abstract ? 0 : 1)) return {{}, net::errc::name_too_long};
  std::memcpy(a.sun_path, path.data(), path.size());
  if (abstract) a.sun_path[0] = '\0';
  const std::size_t length = offsetof(sockaddr_un, sun_path) + path.size() + (abstract || path.empty() ? 0 : 1);
  return {{endpoint(reinterpret_cast<sockaddr*>(&a), static_cast<socklen_t>(length), kind.type)}, {}};
}

}  // namespace

result<std::vector<endpoint>> resolve(const context* ctx, std::string_view network, std::string_view address,
                                      purpose what) {
  const network_kind kind = kind_of(network);
  if (!kind.type) return {{}, net::errc::unknown_network};
  if (kind.family == AF_UNIX) return unix_address(address, kind);
  auto [at, wrong] = split(address);
  if (wrong) return {{}, wrong};
  const int flags = what == purpose::to_listen ? AI_PASSIVE : 0;
  if (at.host.empty() && what == purpose::to_listen) {
    // All interfaces: one socket for both families where there are both.
    if (kind.family == AF_UNSPEC) at.host = "::";
    else return ask_system(at, kind, flags);
  }
  auto numeric = ask_system(at, kind, flags | AI_NUMERICHOST | AI_NUMERICSERV);
  if (numeric || numeric.err.category() != net::lookup_category()) return numeric;
  return ask_in_background(ctx ? *ctx : background(), std::move(at), kind, flags);
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
  if (host.empty()) return {{}, errc::bad_address};
  using namespace detail;
  return ask_in_background(ctx, {std::string(host), "0"}, {AF_UNSPEC, SOCK_STREAM}, 0);
}

result<std::vector<endpoint>> lookup_host(std::string_view host) { return lookup_host(background(), host); }

}  // namespace weft::net
