// What is asked of the kernel, in both tongues: as an entry of a submission queue, and as a system call that
// does not wait.
#pragma once
#include <poll.h>

#include "net/poller/io_op.h"

struct io_uring_sqe;

namespace weft::detail {

struct ring;

// How it is done best.
struct io_habits {
  bool fits_ring = true;         // false if there is no such entry: attempts then, with waits between them
  bool comes_in_crowds = false;  // one that is done mostly means more: worth an attempt before the next wait
};

struct io_request {
  io_op op;
  const int fd;
  const short events;       // POLLIN or POLLOUT: what to wait for when attempt() says EAGAIN
  const io_habits habits;
  // The fiber waits for somebody else, not for something on its own way: ring.h.
  const bool begins_something;
  ring* at = nullptr;       // where it was queued, for its cancelling

  io_request(int descriptor, short wanted, io_habits how = {}) noexcept
      : io_request(descriptor, wanted, (wanted & POLLIN) != 0, how) {}
  io_request(int descriptor, short wanted, bool begins, io_habits how = {}) noexcept
      : fd(descriptor), events(wanted), habits(how), begins_something(begins) {}
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
