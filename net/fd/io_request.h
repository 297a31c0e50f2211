// An I/O request, as an SQE and as a system call that does not wait.
#pragma once
#include <poll.h>

#include <system_error>

#include "net/fd/io_op.h"

struct io_uring_sqe;

namespace weft::detail {

struct ring;

struct io_traits {
  bool has_sqe = true;  // false: io_uring has no such operation, so attempts are made, with waits between them
  bool by_readiness =
      false;  // the kernel must hold nothing while it waits: attempts, with waits in an epoll between them
  bool on_socket = false;  // either: an attempt never blocks, and Note [several Ps] in uring.h says which costs less
};

// What an operation came to. An error is made only where there is one.
struct [[nodiscard]] outcome {
  int n = 0;
  std::error_code err{};
};
// Of a result, or an error number below 0.
inline outcome outcome_of(int res) {
  if (res >= 0) return {res, {}};
  return {0, {-res, std::system_category()}};
}

struct io_request {
  io_op op;
  const int fd;
  const short events;       // POLLIN or POLLOUT: what to wait for when attempt() says EAGAIN
  const io_traits traits;
  // The peer begins something with it: a request arrives. Not a step of what the fiber does for a
  // request. ring.h.
  const bool initiated_by_peer;
  ring* at = nullptr;       // where it was queued, to cancel it there

  io_request(int descriptor, short wanted, io_traits how = {}) noexcept
      : io_request(descriptor, wanted, (wanted & POLLIN) != 0, how) {}
  io_request(int descriptor, short wanted, bool begins, io_traits how = {}) noexcept
      : fd(descriptor), events(wanted), traits(how), initiated_by_peer(begins) {}
  io_request(const io_request&) = delete;
  io_request& operator=(const io_request&) = delete;

  // Fills a cleared entry, but for its user_data. `at` is set.
  virtual void prepare(io_uring_sqe& sqe) = 0;
  // The result, or an error number below 0; -EAGAIN: wait for `events`, then try again.
  virtual int attempt() = 0;

 protected:
  ~io_request() = default;
};

}  // namespace weft::detail
