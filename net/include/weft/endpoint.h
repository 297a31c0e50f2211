// Where a socket is: an IP address with a port, or a path.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::net {

// A value; cheap to copy.
class endpoint {
 public:
  // Nowhere: no network, empty text.
  endpoint() noexcept = default;
  // Of a socket of the given type (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET).
  endpoint(const sockaddr* at, socklen_t length, int type) noexcept;

  // "127.0.0.1:8080", "[::1]:80", a path; "@name" for an abstract one, empty for a socket without a name.
  std::string to_string() const;
  // "127.0.0.1", also of an IPv4 peer of a listener for all interfaces; "::1", "fe80::1%eth0"; for Unix sockets as
// to_string().
  std::string host() const;
  // 0 for Unix sockets.
  int port() const noexcept;
  // "tcp", "udp", "unix", "unixgram", "unixpacket"; empty for nowhere.
  std::string_view network() const noexcept;

  const sockaddr* address() const noexcept { return reinterpret_cast<const sockaddr*>(&at_); }
  socklen_t length() const noexcept { return length_; }
  int family() const noexcept { return at_.any.sa_family; }
  int type() const noexcept { return type_; }

  friend bool operator==(const endpoint& a, const endpoint& b) noexcept;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un path;
  } at_{.path = {}};
  std::uint8_t length_ = 0;
  std::uint8_t type_ = 0;
};

}  // namespace weft::net
