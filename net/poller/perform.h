// One operation as a fiber or a plain thread sees it: the call returns when there is a result.
#pragma once
#include "net/fd/io_lock.h"
#include "net/fd/seen_by_tsan.h"
#include "net/poller/uring.h"
#include "sched/current.h"

namespace weft::detail {

// Carries out rq for the holder of l. Blocks until there is a result, or a deadline, a close or ctx
// has ended the wait.
outcome perform(const io_lock& l, io_request& rq, const context* ctx);
// As perform(), and takes the lock before.
outcome lock_and_perform(io_lock& l, io_request& rq, const context* ctx);

// As lock_and_perform(): what a server does for each request, in one frame. net/fd/direction.h says
// why. `d`, which may be null, is l's.
template <class Request>
[[gnu::always_inline]] inline outcome perform_first(io_lock& l, descriptor* d, Request& rq, const context* ctx) {
  [[maybe_unused]] const seen_by_tsan order(rq);
  M* const m = this_m();
  uring* const u = d && !ctx && m && m->g && !sockets_by_readiness(*m->w)
                       ? as_uring(static_cast<backend*>(m->w->poller_or_null()))
                       : nullptr;
  const auto start = [&]() __attribute__((always_inline)) {
    ring* const r = u->ring_of(m->p->id);  // in a section, which keeps the P
    rq.op.prefetch_around = d;
    rq.op.prefetch_closure = m->g->captured;
    begin_op(rq.op, m->g);
    return r && r->put(rq);
  };
  if (!u || !l.operate(m, rq.op, start)) [[unlikely]]
    return lock_and_perform(l, rq, ctx);
  if (rq.op.word.done() && rq.op.res >= 0) [[likely]]
    return {rq.op.res, {}};
  return u->finish_first(l, rq);
}

// Blocks until a descriptor that weft does not own can be read (POLLIN) or written (POLLOUT).
std::error_code wait_for_foreign(int fd, short events, const context* ctx);

}  // namespace weft::detail
