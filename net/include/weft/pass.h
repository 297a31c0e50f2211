// Descriptors as things of their own: handed over to another process, taken from one, made a connection or a file.
// Go's UnixConn.WriteMsgUnix and ReadMsgUnix with UnixRights, net.FileConn and net.FileListener.
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

// A descriptor that is nobody else's: it is closed with this object, unless it is released. Move-only.
class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& o) noexcept : fd_(o.release()) {}
  unique_fd& operator=(unique_fd&& o) noexcept {
    if (this != &o) reset(o.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  // -1: none.
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// What recv_fds has got: so many bytes, and descriptors, which no child process inherits.
struct fd_message {
  std::size_t n = 0;
  std::vector<unique_fd> fds;
};

// A connected socket that was got otherwise: inherited, received. It is made non-blocking, for all that share it.
// The system's error if it is no socket or not connected.
result<conn> adopt_conn(unique_fd fd);
// The same for a socket that listens; the file of a Unix one stays where it is. std::errc::invalid_argument if it
// does not listen.
result<listener> adopt_listener(unique_fd fd);

}  // namespace weft::net
