// The operations on sockets.
#pragma once
#include <sys/socket.h>

#include <cstddef>

#include "net/poller/io_request.h"

namespace weft::detail {

struct receive final : io_request {
  void* const to;
  const std::size_t size;
  receive(int s, void* buffer, std::size_t n) noexcept;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct send final : io_request {
  const void* const from;
  const std::size_t size;
  send(int s, const void* data, std::size_t n) noexcept;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct accept_one final : io_request {
  sockaddr_storage peer;
  socklen_t length;
  explicit accept_one(int s) noexcept;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct connect_to final : io_request {
  const sockaddr* const address;
  const socklen_t length;
  bool begun = false;
  connect_to(int s, const sockaddr* a, socklen_t n) noexcept;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// For what a descriptor may be ready.
struct poll_for final : io_request {
  poll_for(int descriptor, short wanted) noexcept : io_request(descriptor, wanted) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

}  // namespace weft::detail
