// A descriptor of the kernel's from its making to its place in a `descriptor`.
#pragma once
#include <unistd.h>
#include <weft/endpoint.h>

#include <system_error>
#include <utility>

#include "net/descriptor.h"

namespace weft::detail {

// Closes its number unless it is released.
class owned_fd {
 public:
  explicit owned_fd(int fd) noexcept : fd_(fd) {}
  owned_fd(owned_fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  owned_fd& operator=(owned_fd&&) = delete;
  ~owned_fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// errno. Never inlined: its address must not live across a suspension, after which the thread may be another.
std::error_code last_error() noexcept;

// Non-blocking and not for children.
owned_fd new_socket(int family, int type) noexcept;
// What Go sets on every TCP connection: no delay for small writes, and probes on an idle one. No error if it fails.
void set_defaults(int fd, const net::endpoint& of) noexcept;
net::endpoint name_of_socket(int fd, int type) noexcept;

// A connected socket, with one handle.
descriptor* adopt_connection(owned_fd fd, const net::endpoint& remote);

}  // namespace weft::detail
