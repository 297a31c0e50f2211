#include "net/fd/open_socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace weft::detail {

[[gnu::noinline]] std::error_code last_error() noexcept { return {errno, std::system_category()}; }

owned_fd new_socket(int family, int type) noexcept {
  return owned_fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_blocking(int fd, bool on) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  const int wanted = on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (flags >= 0 && flags != wanted) fcntl(fd, F_SETFL, wanted);
}

void set_defaults(int fd, const net::endpoint& of) noexcept {
  if (of.network() != "tcp") return;
  const int on = 1, seconds = 15, probes = 9;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

net::endpoint name_of_socket(int fd, int type) noexcept {
  sockaddr_storage a{};
  socklen_t n = sizeof a;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&a), &n) != 0) return {};
  return {reinterpret_cast<sockaddr*>(&a), n, type};
}

net::endpoint bound_name(int fd, const net::endpoint& asked) noexcept {
  const net::endpoint local = name_of_socket(fd, asked.type());
  return local.family() == AF_UNSPEC ? asked : local;
}

void unlink_path(const net::endpoint& of) noexcept {
  if (of.family() != AF_UNIX) return;
  const std::string path = of.to_string();
  if (!path.empty() && path[0] != '@') unlink(path.c_str());
}

bool short_reads_drain(const net::endpoint& of) noexcept { return of.type() == SOCK_STREAM && of.family() != AF_UNIX; }

descriptor* adopt_connection(owned_fd fd, const net::endpoint& remote) {
  const net::endpoint local = name_of_socket(fd.get(), remote.type());
  auto* d = new descriptor(fd.get(), local, remote);
  fd.release();
  d->is_stream = short_reads_drain(remote);
  return d;
}

}  // namespace weft::detail
