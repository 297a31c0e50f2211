// The address of a socket: an IP address with a port, or a path.
#pragma once
#include <weft/detail/requirements.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::net {

// The address of one end of a socket. A value: cheap to copy. No function blocks; all may be called
// from fibers and plain threads. Go's net.Addr.
class endpoint {
 public:
  // No address: network() and to_string() are empty.
  endpoint() noexcept = default;
  // The address `at` of `length` bytes, for a socket of this type (SOCK_STREAM, SOCK_DGRAM,
  // SOCK_SEQPACKET).
  endpoint(const sockaddr* at, socklen_t length, int type) noexcept;

  // Returns "127.0.0.1:8080", "[::1]:80", or the path; "@name" for an abstract Unix address, an
  // empty string for a socket without a name.
  std::string to_string() const;
  // Returns the address without the port: "127.0.0.1", "::1", "fe80::1%eth0". An IPv4 peer of an
  // IPv6 socket has its IPv4 address. For Unix sockets the same as to_string().
  std::string host() const;
  // Returns the port; 0 for Unix sockets.
  int port() const noexcept;
  // Returns "tcp", "udp", "unix", "unixgram" or "unixpacket"; empty if there is no address.
  std::string_view network() const noexcept;

  // Returns the address as the kernel has it, valid as long as this object.
  const sockaddr* address() const noexcept { return reinterpret_cast<const sockaddr*>(&at_); }
  // Returns the size of *address(), in bytes.
  socklen_t length() const noexcept { return length_; }
  // Returns AF_INET, AF_INET6 or AF_UNIX; AF_UNSPEC if there is no address.
  int family() const noexcept { return at_.any.sa_family; }
  // Returns SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; 0 if there is no address.
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
