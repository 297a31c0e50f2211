#include "net/fd/requests.h"

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/sendfile.h>

#include <cerrno>

#include "net/fd/no_sigpipe.h"

namespace weft::detail {
namespace {

template <class N>
int result_of(N n) noexcept {
  return n < 0 ? -errno : static_cast<int>(n);
}

}  // namespace

int receive::attempt() { return result_of(recv(fd, to, at_most(size), MSG_DONTWAIT)); }

int send::attempt() { return result_of(::send(fd, from, at_most(size), MSG_NOSIGNAL | MSG_DONTWAIT)); }

// Not by a ring: the kernel ends the operations of a process that has been killed when it gets to
// that, up to 100 ms later, and as long as one of them holds a listening socket, no other process
// can listen at its address.
accept_one::accept_one(int s) noexcept : io_request(s, POLLIN, io_traits{.by_readiness = true}) {}
int accept_one::attempt() {
  length = sizeof peer;
  return result_of(accept4(fd, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

connect_to::connect_to(int s, const sockaddr* a, socklen_t n) noexcept
    : io_request(s, POLLOUT, io_traits{.by_readiness = a->sa_family == AF_UNIX}), address(a), length(n) {}
void connect_to::prepare(io_uring_sqe& sqe) { io_uring_prep_connect(&sqe, fd, address, length); }
int connect_to::attempt() {
  if (begun) {
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0) return -errno;
    if (error) return -error;
    sockaddr_storage peer;
    n = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &n) == 0) return 0;
    return errno == ENOTCONN ? -EAGAIN : -errno;  // woken before it is really connected
  }
  queue_is_full = false;
  if (connect(fd, address, length) == 0) return 0;
  if (errno == EAGAIN && address->sa_family == AF_UNIX) {  // the socket does not become writable when there is room
    queue_is_full = true;
    return -ECONNREFUSED;
  }
  if (errno != EINPROGRESS && errno != EINTR) return -errno;
  begun = true;
  return -EAGAIN;
}

void receive_message::prepare(io_uring_sqe& sqe) {
  io_uring_prep_recvmsg(&sqe, fd, &head, static_cast<unsigned>(flags | MSG_CMSG_CLOEXEC));
}
int receive_message::attempt() { return result_of(recvmsg(fd, &head, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT)); }

void send_message::prepare(io_uring_sqe& sqe) { io_uring_prep_sendmsg(&sqe, fd, &head, MSG_NOSIGNAL); }
int send_message::attempt() { return result_of(sendmsg(fd, &head, MSG_NOSIGNAL | MSG_DONTWAIT)); }

int send_from_file::attempt() {
  const no_sigpipe quiet;
  const int n = result_of(sendfile(fd, file, &at, at_most(size)));
  return n == -EPIPE || (n >= 0 && static_cast<std::size_t>(n) < size) ? quiet.not_all(n) : n;
}

int splice_part::attempt() {
  const no_sigpipe quiet;
  const int n = result_of(splice(from, nullptr, to, nullptr, at_most(size), SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
  return n == -EPIPE || (n >= 0 && static_cast<std::size_t>(n) < size) ? quiet.not_all(n) : n;
}

void poll_for::prepare(io_uring_sqe& sqe) { io_uring_prep_poll_add(&sqe, fd, static_cast<unsigned>(events)); }
int poll_for::attempt() {
  pollfd p{.fd = fd, .events = events, .revents = 0};
  const int n = poll(&p, 1, 0);
  if (n < 0) return -errno;
  if (n > 0 && (p.revents & POLLNVAL)) return -EBADF;
  return n == 0 ? -EAGAIN : p.revents;
}

}  // namespace weft::detail
