// The operations on sockets.
#pragma once
#include <liburing.h>
#include <sys/socket.h>

#include <cstddef>

#include "net/fd/io_request.h"

namespace weft::detail {

// More than this at a time the kernel does not take.
inline unsigned at_most(std::size_t n) noexcept { return static_cast<unsigned>(n < 0x7ffff000 ? n : 0x7ffff000); }

inline constexpr io_traits of_a_socket{.on_socket = true};

struct receive final : io_request {
  void* const to;
  const std::size_t size;
  receive(int s, void* buffer, std::size_t n) noexcept : io_request(s, POLLIN, of_a_socket), to(buffer), size(n) {}
  void prepare(io_uring_sqe& sqe) override { io_uring_prep_recv(&sqe, fd, to, at_most(size), 0); }
  int attempt() override;
};

struct send final : io_request {
  const void* const from;
  const std::size_t size;
  send(int s, const void* data, std::size_t n) noexcept : io_request(s, POLLOUT, of_a_socket), from(data), size(n) {}
  void prepare(io_uring_sqe& sqe) override { io_uring_prep_send(&sqe, fd, from, at_most(size), MSG_NOSIGNAL); }
  int attempt() override;
};

struct accept_one final : io_request {
  sockaddr_storage peer;
  socklen_t length;
  explicit accept_one(int s) noexcept;
  void prepare(io_uring_sqe&) override {}
  int attempt() override;
};

struct connect_to final : io_request {
  const sockaddr* const address;
  const socklen_t length;
  bool begun = false;
  bool queue_is_full = false;  // of a listener in the Unix domain; attempt() has failed for that
  connect_to(int s, const sockaddr* a, socklen_t n) noexcept;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// Data in pieces, with an address or control data or neither. `head` is the caller's, and what it
// points at.
struct receive_message final : io_request {
  msghdr& head;
  const int flags;
  receive_message(int s, msghdr& m, int f = 0) noexcept : io_request(s, POLLIN, of_a_socket), head(m), flags(f) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct send_message final : io_request {
  const msghdr& head;
  send_message(int s, const msghdr& m) noexcept : io_request(s, POLLOUT, of_a_socket), head(m) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// From a file to a socket, without a way through our memory. No ring does that: attempts.
struct send_from_file final : io_request {
  const int file;
  off_t at;
  const std::size_t size;
  send_from_file(int s, int f, off_t offset, std::size_t n) noexcept
      : io_request(s, POLLOUT, io_traits{.has_sqe = false}), file(f), at(offset), size(n) {}
  void prepare(io_uring_sqe&) override {}
  int attempt() override;
};

// From a descriptor to another, one of which is a pipe, without a way through our memory. Waits for
// `waits_for`. No ring does that: attempts.
struct splice_part final : io_request {
  const int from, to;
  const std::size_t size;
  splice_part(int waits_for, short wanted, int f, int t, std::size_t n) noexcept
      : io_request(waits_for, wanted, io_traits{.has_sqe = false}), from(f), to(t), size(n) {}
  void prepare(io_uring_sqe&) override {}
  int attempt() override;
};

// For what a descriptor may be ready.
struct poll_for final : io_request {
  poll_for(int descriptor, short wanted) noexcept : io_request(descriptor, wanted) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

}  // namespace weft::detail
