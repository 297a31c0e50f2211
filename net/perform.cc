#include "net/perform.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "net/on_thread.h"
#include "net/open_socket.h"
#include "net/poller/epoll.h"
#include "net/requests.h"

namespace weft::detail {
namespace {

std::error_code system_error(int e) { return {e, std::system_category()}; }

outcome outcome_of(int res) {
  if (res >= 0) return {res, {}};
  return {0, system_error(-res)};
}

// io_uring: the kernel does it and says so. If the wait is ended before, the operation is cancelled and waited
// for, and may turn out to have been done all the same.
outcome by_completion(backend& b, half& h, io_request& rq, const context* ctx) {
  for (;;) {
    std::error_code why;
    // One completion in each round of the poller would let a crowd of connections wait for a second to be accepted.
    const bool tries = rq.comes_in_crowds() && !h.drained;
    if (tries || !rq.fits_ring()) {
      const int res = rq.attempt();
      if (res == -EINTR) continue;
      if (res != -EAGAIN) return outcome_of(res);
      h.drained = tries;
    }
    if (!rq.fits_ring()) {
      poll_for ready(rq.fd, rq.events);
      if (const outcome o = by_completion(b, h, ready, ctx); o.err) return o;
      continue;
    }
    b.start(rq);
    if (!h.wait(rq.op, ctx, why)) {
      b.cancel(rq);
      wait_until_done(rq.op);
    }
    const int res = rq.op.res;
    h.drained = false;
    if (res >= 0) return {res, {}};
    const bool undone = res == -ECANCELED || res == -EINTR || res == -EAGAIN || rq.has_another_way(res);
    if (!undone) return outcome_of(res);
    if (why) return {0, why};
    // Else the thread that had submitted it has ended, or the kernel does not wait for this kind.
    if (res == -EAGAIN) {
      poll_for ready(rq.fd, rq.events);
      if (const outcome o = by_completion(b, h, ready, ctx); o.err) return o;
    }
  }
}

// epoll: attempts, with a wait for an edge between them.
outcome by_readiness(epoll_poller& b, descriptor& d, half_of which, io_request& rq, const context* ctx) {
  half& h = d.half_for(which);
  epoll_slot* slot = nullptr;
  if (h.drained) {
    slot = d.slot(b);
    h.drained = slot && !slot->hung_up.load(std::memory_order_relaxed) && !slot->edge_waits(which);
  }
  for (;; h.drained = false) {
    if (!h.drained) {
      const int res = rq.attempt();
      if (res == -EINTR) continue;
      if (res != -EAGAIN) return outcome_of(res);
    }
    if (!slot) slot = d.slot(b);
    if (!slot) return {0, last_error()};
    begin_op(rq.op);
    if (!slot->arm(which, rq.op)) continue;
    std::error_code why;
    const waiting_counted counted(b);
    if (!h.wait(rq.op, ctx, why)) {
      if (slot->disarm(which, rq.op)) return {0, why};
      wait_until_done(rq.op);
      h.drained = false;  // the edge is used up, and nobody has tried
      if (why) return {0, why};
    }
  }
}

}  // namespace

turn::turn(descriptor* d, half_of h, const context* ctx) : use_(d), d_(d), h_(h) {
  error_ = use_ ? it().begin(ctx) : errc::closed;
}

turn::~turn() {
  if (!error_) it().end();
}

outcome perform(turn& t, io_request& rq, const context* ctx) {
  if (!in_fiber()) return perform_on_thread(t.it(), rq, ctx);
  backend& b = the_backend();
  if (b.kind() == poller_kind::io_uring) return by_completion(b, t.it(), rq, ctx);
  return by_readiness(static_cast<epoll_poller&>(b), t.of(), t.which(), rq, ctx);
}

std::error_code wait_for_foreign(int fd, short events, const context* ctx) {
  poll_for ready(fd, events);
  if (ctx)
    if (const std::error_code e = error_of(*ctx)) return e;
  half nobody_elses;
  if (!in_fiber()) return perform_on_thread(nobody_elses, ready, ctx).err;
  backend& b = the_backend();
  if (b.kind() == poller_kind::io_uring) return by_completion(b, nobody_elses, ready, ctx).err;
  if (const int now = ready.attempt(); now != -EAGAIN) return outcome_of(now).err;
  // A duplicate, so that several may wait for one number, and closing it may not hurt us.
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return last_error();
  descriptor* d = new descriptor(own, {}, {});
  poll_for same(own, events);
  const outcome o =
      by_readiness(static_cast<epoll_poller&>(b), *d, events & POLLIN ? half_of::reading : half_of::writing, same, ctx);
  d->drop_handle();
  return o.err;
}

}  // namespace weft::detail
