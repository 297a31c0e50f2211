#include "net/file_requests.h"

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>
#include <weft/go.h>
#include <weft/semaphore.h>

#include <cerrno>

#include "net/poller/backend.h"

namespace weft::detail {
namespace {

constexpr std::size_t most = 0x7ffff000;
unsigned at_most(std::size_t n) noexcept { return static_cast<unsigned>(n < most ? n : most); }
constexpr std::uint64_t where_it_stands = UINT64_MAX;

template <class N>
int result_of(N n) noexcept {
  return n < 0 ? -errno : static_cast<int>(n);
}

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

void sync_file::prepare(io_uring_sqe& sqe) { io_uring_prep_fsync(&sqe, fd, 0); }
int sync_file::attempt() { return result_of(fsync(fd)); }

void open_file::prepare(io_uring_sqe& sqe) { io_uring_prep_openat(&sqe, AT_FDCWD, path, flags, mode); }
int open_file::attempt() { return result_of(openat(AT_FDCWD, path, flags, mode)); }

int perform_on_file(io_request& rq) {
  for (;;) {
    int res = 0;
    if (!in_fiber()) {
      res = rq.attempt();
    } else if (backend& b = the_backend(); b.kind() == poller_kind::io_uring) {
      b.start(rq);
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
