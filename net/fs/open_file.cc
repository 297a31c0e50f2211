#include "net/fs/open_file.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/time.h>

#include <algorithm>
#include <cerrno>

#include "net/fd/open_socket.h"

namespace weft::fs {

using namespace weft::detail;

namespace {

using namespace std::chrono_literals;

class growing_pause {
 public:
  void wait() {
    const duration waited = now() - began_;
    sleep(std::clamp<duration>(waited / 8, 1ms, 100ms));
  }

 private:
  const time_point began_ = now();
};

bool is_fifo(int fd) noexcept {
  struct stat s {};
  return fstat(fd, &s) == 0 && S_ISFIFO(s.st_mode);
}

// `fd` is the reading end of a named pipe, and non-blocking. poll(2) reports data, and a writer
// that has come and gone. A writer that is silent is seen by a read: EAGAIN, where without a writer
// it is the end of the pipe. The address is none that can be written to, so data stays in the pipe
// (EFAULT).
bool has_had_writer(int fd) noexcept {
  pollfd at{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&at, 1, 0) != 0) return true;
  return syscall(SYS_read, fd, static_cast<void*>(nullptr), 1UL) < 0;
}

result<file> opened(int res) {
  if (res < 0) return {{}, std::error_code(-res, std::system_category())};
  return adopt(owned_fd(res));
}

// Waits for a reader of the named pipe, if it is one.
int open_for_writing(int flags, const std::function<int(int)>& attempt) {
  int res = attempt(flags | O_NONBLOCK);
  if (res != -ENXIO || (flags & O_ACCMODE) != O_WRONLY) return res;
  // A socket and a device without a driver are ENXIO for the reader's mode too.
  const owned_fd what(attempt((flags & ~(O_ACCMODE | O_CREAT | O_TRUNC)) | O_PATH));
  if (!what || !is_fifo(what.get())) return res;
  growing_pause pause;
  while (res == -ENXIO) {
    pause.wait();
    res = attempt((flags & ~O_CREAT) | O_NONBLOCK);
  }
  return res;
}

}  // namespace

result<file> open_by(int flags, const std::function<int(int)>& attempt) {
  if (!in_fiber() || (flags & (O_NONBLOCK | O_PATH))) return opened(attempt(flags));
  int res = open_for_writing(flags, attempt);
  if (res == -EWOULDBLOCK)
    res = attempt(flags);  // another process has a lease: open(2) waits until the lease is given up
  if (res < 0) return opened(res);
  owned_fd fd(res);
  if (!is_fifo(fd.get())) {
    set_blocking(fd.get(), true);
    return adopt(std::move(fd));
  }
  if ((flags & O_ACCMODE) == O_RDONLY)
    for (growing_pause pause; !has_had_writer(fd.get());) pause.wait();
  return adopt(std::move(fd));
}

}  // namespace weft::fs
