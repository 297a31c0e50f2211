// The operations on files: entries for a ring, or system calls that may wait for a disk.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "net/fd/io_request.h"
#include "net/fs/disk_thread.h"

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

// Of pipes, terminals and the like: an attempt never waits, even where the descriptor has been made
// blocking, and no thread gets a SIGPIPE.
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
      : io_request(f, POLLOUT, io_traits{.has_sqe = false}), from(data), size(n) {}
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

// Blocks until rq is done. Returns its result, or an error number below 0.
int perform_on_file(io_request& rq);

}  // namespace weft::detail
