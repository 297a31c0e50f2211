// The operations on files: entries for a ring, or system calls that may wait for a disk.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "net/poller/io_request.h"

namespace weft::detail {

struct read_file_part final : io_request {
  void* const to;
  const std::size_t size;
  const std::uint64_t at;  // UINT64_MAX: where the file stands
  read_file_part(int f, void* buffer, std::size_t n, std::uint64_t offset) noexcept
      : io_request(f, POLLIN, false), to(buffer), size(n), at(offset) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct write_file_part final : io_request {
  const void* const from;
  const std::size_t size;
  const std::uint64_t at;
  write_file_part(int f, const void* data, std::size_t n, std::uint64_t offset) noexcept
      : io_request(f, POLLOUT, false), from(data), size(n), at(offset) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// Of pipes, terminals and the like: an attempt never waits, even where somebody has made the descriptor blocking, and
// nobody gets a SIGPIPE.
struct read_stream_part final : io_request {
  void* const to;
  const std::size_t size;
  read_stream_part(int f, void* buffer, std::size_t n) noexcept : io_request(f, POLLIN), to(buffer), size(n) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// No entry for a ring: whichever thread the kernel did it in would get the SIGPIPE.
struct write_stream_part final : io_request {
  const void* const from;
  const std::size_t size;
  write_stream_part(int f, const void* data, std::size_t n) noexcept
      : io_request(f, POLLOUT, io_habits{.fits_ring = false}), from(data), size(n) {}
  void prepare(io_uring_sqe&) override {}
  int attempt() override;
};

struct sync_file final : io_request {
  explicit sync_file(int f) noexcept : io_request(f, 0, false) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

struct open_file final : io_request {
  const char* const path;
  const int flags;
  const mode_t mode;
  open_file(const char* p, int f, mode_t m) noexcept : io_request(-1, 0, false), path(p), flags(f), mode(m) {}
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
};

// The result, or an error number below 0, when it is done.
int perform_on_file(io_request& rq);

// Runs f, which may wait for a disk, on a thread that may; a bounded number at a time.
void on_disk_thread(void (*f)(void*), void* arg);
template <class F>
auto on_disk_thread(F f) {
  struct call {
    F f;
    decltype(f()) result{};
  } c{std::move(f)};
  on_disk_thread(
      [](void* at) {
        auto* self = static_cast<call*>(at);
        self->result = self->f();
      },
      &c);
  return std::move(c.result);
}

}  // namespace weft::detail
