#include "net/perform.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "net/on_thread.h"
#include "net/open_socket.h"
#include "net/poller/epoll.h"
#include "net/poller/uring.h"
#include "net/requests.h"

namespace weft::detail {
namespace {

// The wait has been ended before the operation: cancels it and waits for it. It may turn out to have been done all the
// same.
void end_early(uring& u, io_request& rq) {
  u.cancel(rq);
  wait_until_done(rq.op);
}

outcome outcome_of(int res) {
  if (res >= 0) return {res, {}};
  return {0, {-res, std::system_category()}};
}

// Starts it and waits: its result stands in it. What has ended the wait, if it was not the completion.
ending carry_out(uring& u, half& h, io_request& rq, const context* ctx) {
  u.start(rq);
  ending why = ending::none;
  if (!h.wait(rq.op, ctx, why)) end_early(u, rq);
  return why;
}

outcome by_completion(uring& u, half& h, io_request& rq, const context* ctx);

outcome until_ready(uring& u, half& h, const io_request& rq, const context* ctx) {
  poll_for ready(rq.fd, rq.events);
  return by_completion(u, h, ready, ctx);
}

// Where the kernel waits for no request of this kind: attempts. EAGAIN if it is the ring's turn.
int attempt_first(half& h, io_request& rq) {
  const bool tries = rq.habits.comes_in_crowds && !h.drained;
  if (!tries && rq.habits.fits_ring) return -EAGAIN;
  int res = rq.attempt();
  while (res == -EINTR) res = rq.attempt();
  if (res == -EAGAIN) h.drained = tries;
  return res;
}

// The kernel has completed it without a result, or `why` has ended the wait before. True if there is an outcome; else
// it is begun anew.
bool has_failed(uring& u, half& h, io_request& rq, const context* ctx, ending why, outcome& out) {
  const int res = rq.op.res;
  const bool undone = res == -ECANCELED || res == -EINTR || res == -EAGAIN;
  if (!undone) {
    out = outcome_of(res);
    return true;
  }
  if (why != ending::none) {
    out = {0, to_error(why, ctx)};
    return true;
  }
  // Else the thread that had submitted it has ended, or the kernel does not wait for this kind.
  if (res != -EAGAIN) return false;
  out = until_ready(u, h, rq, ctx);
  return static_cast<bool>(out.err);
}

// io_uring: the kernel does it and says so.
outcome by_completion(uring& u, half& h, io_request& rq, const context* ctx) {
  for (;;) {
    // One completion in each round of the poller would let a crowd of connections wait for a second to be accepted.
    if (rq.habits.comes_in_crowds || !rq.habits.fits_ring) {
      const int res = attempt_first(h, rq);
      if (res != -EAGAIN) return outcome_of(res);
      if (!rq.habits.fits_ring) {
        if (const outcome o = until_ready(u, h, rq, ctx); o.err) return o;
        continue;
      }
    }
    const ending why = carry_out(u, h, rq, ctx);
    h.drained = false;
    if (rq.op.res >= 0) return {rq.op.res, {}};
    outcome out;
    if (has_failed(u, h, rq, ctx, why, out)) return out;
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
    begin_op(rq.op, self());
    if (!slot->arm(which, rq.op)) continue;
    ending why = ending::none;
    const waiting_counted counted(b);
    if (!h.wait(rq.op, ctx, why)) {
      if (slot->disarm(which, rq.op)) return {0, to_error(why, ctx)};
      wait_until_done(rq.op);
      h.drained = false;  // the edge is used up, and nobody has tried
      if (why != ending::none) return {0, to_error(why, ctx)};
    }
  }
}

}  // namespace

outcome begin_and_perform(turn& t, io_request& rq, const context* ctx) {
  if (!t.begin(ctx)) return {0, t.error()};
  return perform(t, rq, ctx);
}

outcome after_failure(turn& t, io_request& rq) {
  uring& u = *as_uring(backend_of_fiber());
  ending why = ending::none;
  if (!t.it().ended(rq.op, why)) end_early(u, rq);
  if (rq.op.res >= 0) return {rq.op.res, {}};
  outcome out;
  if (has_failed(u, t.it(), rq, nullptr, why, out)) return out;
  return by_completion(u, t.it(), rq, nullptr);
}

outcome perform(const turn& t, io_request& rq, const context* ctx) {
  backend* b = backend_of_fiber();
  if (!b) return perform_on_thread(t.it(), rq, ctx);
  if (uring* u = as_uring(b)) return by_completion(*u, t.it(), rq, ctx);
  return by_readiness(static_cast<epoll_poller&>(*b), t.of(), t.which(), rq, ctx);
}

std::error_code wait_for_foreign(int fd, short events, const context* ctx) {
  poll_for ready(fd, events);
  if (ctx)
    if (const std::error_code e = error_of(*ctx)) return e;
  half nobody_elses;
  backend* b = backend_of_fiber();
  if (!b) return perform_on_thread(nobody_elses, ready, ctx).err;
  if (uring* u = as_uring(b)) return by_completion(*u, nobody_elses, ready, ctx).err;
  if (const int now = ready.attempt(); now != -EAGAIN) return outcome_of(now).err;
  // A duplicate, so that several may wait for one number, and closing it may not hurt us.
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return last_error();
  descriptor* d = new descriptor(own, {}, {});
  poll_for same(own, events);
  const outcome o = by_readiness(static_cast<epoll_poller&>(*b), *d,
                                 events & POLLIN ? half_of::reading : half_of::writing, same, ctx);
  d->drop_handle();
  return o.err;
}

}  // namespace weft::detail
