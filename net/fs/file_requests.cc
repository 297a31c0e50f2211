#include "net/fs/file_requests.h"

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "net/fd/no_sigpipe.h"
#include "net/poller/choose.h"

namespace weft::detail {
namespace {

constexpr std::size_t most = 0x7ffff000;
unsigned at_most(std::size_t n) noexcept { return static_cast<unsigned>(n < most ? n : most); }
constexpr std::uint64_t where_it_stands = UINT64_MAX;

template <class N>
int result_of(N n) noexcept {
  return n < 0 ? -errno : static_cast<int>(n);
}

// For files whose reads and writes know no RWF_NOWAIT, where another process has made the
// descriptor blocking.
bool is_ready(int fd, short events) noexcept {
  pollfd at{.fd = fd, .events = events, .revents = 0};
  return poll(&at, 1, 0) != 0;
}

}  // namespace

void read_file_part::prepare(io_uring_sqe& sqe) { io_uring_prep_read(&sqe, fd, to, at_most(size), at); }
int read_file_part::attempt() {
  if (at == where_it_stands) return result_of(read(fd, to, at_most(size)));
  return result_of(pread(fd, to, at_most(size), static_cast<off_t>(at)));
}

void write_file_part::prepare(io_uring_sqe& sqe) { io_uring_prep_write(&sqe, fd, from, at_most(size), at); }
int write_file_part::attempt() {
  if (at == where_it_stands) return result_of(write(fd, from, at_most(size)));
  return result_of(pwrite(fd, from, at_most(size), static_cast<off_t>(at)));
}

void read_stream_part::prepare(io_uring_sqe& sqe) { io_uring_prep_read(&sqe, fd, to, at_most(size), where_it_stands); }
int read_stream_part::attempt() {
  const iovec all{to, at_most(size)};
  const int n = result_of(preadv2(fd, &all, 1, -1, RWF_NOWAIT));
  if (n != -EOPNOTSUPP) return n;
  return is_ready(fd, POLLIN) ? result_of(read(fd, to, at_most(size))) : -EAGAIN;
}

int write_stream_part::attempt() {
  const no_sigpipe quiet;
  const iovec all{const_cast<void*>(from), at_most(size)};
  int n = result_of(pwritev2(fd, &all, 1, -1, RWF_NOWAIT));
  if (n == -EOPNOTSUPP) n = is_ready(fd, POLLOUT) ? result_of(write(fd, from, at_most(size))) : -EAGAIN;
  return n == -EPIPE || (n >= 0 && static_cast<std::size_t>(n) < size) ? quiet.not_all(n) : n;
}

void sync_file::prepare(io_uring_sqe& sqe) { io_uring_prep_fsync(&sqe, fd, 0); }
int sync_file::attempt() { return result_of(fsync(fd)); }

void open_file::prepare(io_uring_sqe& sqe) { io_uring_prep_openat(&sqe, AT_FDCWD, path, flags, mode); }
int open_file::attempt() { return result_of(openat(AT_FDCWD, path, flags, mode)); }

int perform_on_file(io_request& rq) {
  for (;;) {
    backend* const b = backend_of_fiber();
    int res = b ? b->perform_on_file(rq) : rq.attempt();
    if (b && res == -EAGAIN) res = on_disk_thread([&] { return rq.attempt(); });
    if (res != -EINTR && res != -ECANCELED) return res;
  }
}

}  // namespace weft::detail
