// Operations on epoll: attempts, with a wait for an edge between them.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "net/fd/io_lock.h"
#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/epoll.h"

namespace weft::detail {

epoll_slot* epoll_poller::slot_of(descriptor& d) {
  return static_cast<epoll_slot*>(d.registered(*this, [this](int fd) -> registration* { return watch(fd); }));
}

outcome epoll_poller::by_readiness(descriptor& d, direction_kind which, io_request& rq, const context* ctx) {
  direction& way = d.direction_for(which);
  epoll_slot* slot = nullptr;
  if (way.drained) {
    slot = slot_of(d);
    way.drained = slot && !slot->short_reads_prove_nothing.load(std::memory_order_relaxed) && !slot->edge_waits(which);
  }
  for (;; way.drained = false) {
    if (!way.drained) {
      const int res = rq.attempt();
      if (res == -EINTR) continue;
      if (res != -EAGAIN) return outcome_of(res);
    }
    if (!slot) slot = slot_of(d);
    if (!slot) return {0, last_error()};
    begin_op(rq.op, self());
    if (!slot->arm(which, rq.op)) continue;
    wait_result why = wait_result::none;
    const waiting_counted counted(*this);
    if (!way.wait(rq.op, ctx, why)) {
      if (slot->disarm(which, rq.op)) return {0, to_error(why, ctx)};
      wait_until_done(rq.op);
      way.drained = false;  // the edge is used up, and there was no attempt
      if (why != wait_result::none) return {0, to_error(why, ctx)};
    }
  }
}

outcome epoll_poller::perform(const io_lock& l, io_request& rq, const context* ctx) {
  return by_readiness(l.of(), l.which(), rq, ctx);
}

std::error_code epoll_poller::wait_for_foreign(int fd, short events, const context* ctx) {
  poll_for ready(fd, events);
  if (const int now = ready.attempt(); now != -EAGAIN) return outcome_of(now).err;
  // A duplicate, so that several fibers can wait for one number, and it may be closed while they
  // wait.
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return last_error();
  descriptor* d = new descriptor(own, {}, {});
  poll_for same(own, events);
  const outcome o = by_readiness(*d, events & POLLIN ? direction_kind::reading : direction_kind::writing, same, ctx);
  d->drop_handle();
  return o.err;
}

}  // namespace weft::detail
