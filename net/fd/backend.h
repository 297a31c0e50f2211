// The way to the kernel that a world uses: io_uring, epoll, or another that implements this.
//
// Descriptors, sockets and files know this interface only. What a backend does to carry out a
// request is in its own files in net/poller.
#pragma once
#include <weft/go.h>

#include "net/fd/io_request.h"
#include "sched/poller.h"

namespace weft {
class context;
}

namespace weft::detail {

class io_lock;

// What a backend keeps for a descriptor until that is closed.
struct registration {};

struct backend : poller {
  explicit backend(poller_kind k) noexcept : kind_(k) {}
  poller_kind kind() const noexcept { return kind_; }

  // Carries out rq for the fiber that holds l, and blocks it until there is a result, or a
  // deadline, a close or ctx, which may be null, has ended the wait.
  virtual outcome perform(const io_lock& l, io_request& rq, const context* ctx) = 0;
  // Carries out rq, on a file, and blocks the fiber until it is done. Returns the result, or an
  // error number below 0.
  // -EAGAIN: this backend has no way to do it; the caller's is a thread.
  virtual int perform_on_file(io_request& rq) = 0;
  // Blocks the fiber until `fd`, which weft does not own, can be read (POLLIN) or written
  // (POLLOUT), or ctx is done.
  virtual std::error_code wait_for_foreign(int fd, short events, const context* ctx) = 0;
  // The descriptor `fd` is about to be closed. `r` is what this backend has stored in it.
  virtual void forget(registration* r, int fd) noexcept = 0;

 private:
  const poller_kind kind_;
};

}  // namespace weft::detail
