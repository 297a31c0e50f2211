// Descriptors with one owner: passed to another process, received from one, or adopted as a
// connection. Go's UnixConn.WriteMsgUnix and ReadMsgUnix with UnixRights, net.FileConn and
// net.FileListener.
//
//   unix_conn.send_fds(data, {{file.fd()}});
//   auto [m, err] = unix_conn.recv_fds(buf);        // m.n bytes, m.fds
//   auto [f, why] = weft::fs::adopt(std::move(m.fds[0]));
#pragma once
#include <unistd.h>
#include <weft/errors.h>
#include <weft/net.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace weft::net {

// Owns a descriptor: its destructor closes the descriptor unless it was released. Move-only. For
// any fiber or plain thread.
class unique_fd {
 public:
  // Owns no descriptor.
  unique_fd() noexcept = default;
  // Takes over `fd`.
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& o) noexcept : fd_(o.release()) {}
  unique_fd& operator=(unique_fd&& o) noexcept {
    if (this != &o) reset(o.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  // Returns the descriptor's number; -1: none.
  int get() const noexcept { return fd_; }
  // Returns the number and gives up the descriptor, which stays open.
  int release() noexcept { return std::exchange(fd_, -1); }
  // Closes the descriptor and takes over `fd`.
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  // Returns true if it owns a descriptor.
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The result of recv_fds: `n` bytes, and the descriptors, which are close-on-exec.
struct fd_message {
  std::size_t n = 0;
  std::vector<unique_fd> fds;
};

// Makes a connection from a connected socket that was inherited or received. The socket becomes
// non-blocking, for all processes that share it. Errors: the system's, if `fd` is no socket or is
// not connected; `fd` is closed then. Does not block. From fibers and plain threads. Go's
// net.FileConn.
result<conn> adopt_conn(unique_fd fd);
// The same for a listening socket. The file of a Unix socket is not removed when the listener
// closes. Error: std::errc::invalid_argument if the socket does not listen. Go's net.FileListener.
result<listener> adopt_listener(unique_fd fd);

}  // namespace weft::net
