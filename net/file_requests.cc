#include "net/file_requests.h"

#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>
#include <weft/go.h>
#include <weft/semaphore.h>

#include <cerrno>
#include <ctime>

#include "net/poller/uring.h"

namespace weft::detail {
namespace {

constexpr std::size_t most = 0x7ffff000;
unsigned at_most(std::size_t n) noexcept { return static_cast<unsigned>(n < most ? n : most); }
constexpr std::uint64_t where_it_stands = UINT64_MAX;

template <class N>
int result_of(N n) noexcept {
  return n < 0 ? -errno : static_cast<int>(n);
}

// A write to a pipe that nobody reads says so by a signal to the calling thread as well. It is held back and taken out,
// unless the caller holds it back anyway.
class no_sigpipe {
 public:
  no_sigpipe() noexcept {
    sigemptyset(&it_);
    sigaddset(&it_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &it_, &before_);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;
  ~no_sigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  int result(int res) const noexcept {
    const timespec at_once{};
    if (res == -EPIPE && sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&it_, nullptr, &at_once);
    return res;
  }

 private:
  sigset_t it_{}, before_{};
};

// Threads that wait for disks at a time. More of them do not make a disk faster.
constexpr int disk_threads = 64;

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
  return n == -EOPNOTSUPP ? result_of(read(fd, to, at_most(size))) : n;
}

int write_stream_part::attempt() {
  const no_sigpipe quiet;
  const iovec all{const_cast<void*>(from), at_most(size)};
  const int n = result_of(pwritev2(fd, &all, 1, -1, RWF_NOWAIT));
  return quiet.result(n == -EOPNOTSUPP ? result_of(write(fd, from, at_most(size))) : n);
}

void sync_file::prepare(io_uring_sqe& sqe) { io_uring_prep_fsync(&sqe, fd, 0); }
int sync_file::attempt() { return result_of(fsync(fd)); }

void open_file::prepare(io_uring_sqe& sqe) { io_uring_prep_openat(&sqe, AT_FDCWD, path, flags, mode); }
int open_file::attempt() { return result_of(openat(AT_FDCWD, path, flags, mode)); }

int perform_on_file(io_request& rq) {
  for (;;) {
    int res = 0;
    backend* const b = backend_of_fiber();
    if (!b) {
      res = rq.attempt();
    } else if (b->kind() == poller_kind::io_uring) {
      static_cast<uring*>(b)->start(rq);
      wait_until_done(rq.op);
      res = rq.op.res;
    } else {
      res = on_disk_thread([&] { return rq.attempt(); });
    }
    if (res != -EINTR && res != -ECANCELED && res != -EAGAIN) return res;
  }
}

void on_disk_thread(void (*f)(void*), void* arg) {
  if (!in_fiber()) return f(arg);
  static semaphore& places = *new semaphore(disk_threads);
  places.acquire();
  blocking([&] { f(arg); });
  places.release();
}

}  // namespace weft::detail
