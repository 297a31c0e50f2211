// The two ways to wait for the kernel, behind what the scheduler and the sockets need.
//
// io_uring takes an operation and says when it is completed. epoll says when an operation is worth a try.
// Everything else about sockets is the same for both: net/perform.cc.
#pragma once
#include <weft/go.h>

#include "net/poller/io_request.h"
#include "sched/poller.h"

namespace weft::detail {

enum class half_of : std::uint8_t { reading, writing };

struct epoll_slot;

struct backend : poller {
  explicit backend(poller_kind k) noexcept : kind_(k) {}
  poller_kind kind() const noexcept { return kind_; }

  // epoll alone. Watches `fd` from now on; null and errno if the kernel will not.
  virtual epoll_slot* watch(int) { return nullptr; }
  virtual void unwatch(epoll_slot*, int) {}

 private:
  const poller_kind kind_;
};

// The poller of the world in which the calling fiber runs; made at the first call. Null on a plain thread.
backend* backend_of_fiber();

// What io_uring can do here: null and the reason, in words, if it cannot be used. For one world.
backend* make_uring(std::string& why_not);
// For all worlds of the process.
backend* the_epoll(std::string& why_not);

// The kind asked for by options and WEFT_POLLER; says so on standard error if the variable's value is wrong.
poller_kind poller_asked_for(const options& o);

}  // namespace weft::detail
