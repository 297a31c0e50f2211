// Operations on io_uring: the kernel carries them out and reports the result.
#include <cerrno>
#include <optional>

#include "net/fd/io_lock.h"
#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/epoll.h"
#include "net/poller/uring.h"
#include "sched/current.h"

namespace weft::detail {
namespace {

// The wait has ended before the operation: cancels it and waits for its completion, which may still
// report success.
void end_early(uring& u, io_request& rq) {
  u.cancel(rq);
  wait_until_done(rq.op);
}

// Starts rq and waits. Returns what has ended the wait; the result is in rq in any case.
wait_result carry_out(uring& u, direction& way, io_request& rq, const context* ctx) {
  u.start(rq);
  wait_result why = wait_result::none;
  if (!way.wait(rq.op, ctx, why)) end_early(u, rq);
  return why;
}

outcome by_completion(uring& u, direction& way, io_request& rq, const context* ctx);

outcome until_ready(uring& u, direction& way, const io_request& rq, const context* ctx) {
  poll_for ready(rq.fd, rq.events);
  return by_completion(u, way, ready, ctx);
}

// The kernel has completed rq with an error, or `why` has ended the wait before. Returns nothing if
// rq is to begin again.
std::optional<outcome> finish_or_retry(uring& u, direction& way, io_request& rq, const context* ctx, wait_result why) {
  const int res = rq.op.res;
  if (res != -ECANCELED && res != -EINTR && res != -EAGAIN) return outcome_of(res);
  if (why != wait_result::none) return outcome{0, to_error(why, ctx)};
  // The thread that had submitted it has ended, or the kernel does not wait for this kind.
  if (res != -EAGAIN) return std::nullopt;
  const outcome ready = until_ready(u, way, rq, ctx);
  return ready.err ? std::optional(ready) : std::nullopt;
}

outcome by_completion(uring& u, direction& way, io_request& rq, const context* ctx) {
  for (;;) {
    if (!rq.traits.has_sqe) {
      const int res = rq.attempt();
      if (res == -EINTR) continue;
      if (res != -EAGAIN) return outcome_of(res);
      if (const outcome o = until_ready(u, way, rq, ctx); o.err) return o;
      continue;
    }
    const wait_result why = carry_out(u, way, rq, ctx);
    if (rq.op.res >= 0) return {rq.op.res, {}};
    if (const auto o = finish_or_retry(u, way, rq, ctx, why)) return *o;
  }
}

}  // namespace

outcome uring::perform(const io_lock& l, io_request& rq, const context* ctx) {
  if (rq.traits.by_readiness || (rq.traits.on_socket && sockets_by_readiness(*this_m()->w))) {
    epoll_poller* const e = epoll_for_readiness();
    return e ? e->perform(l, rq, ctx) : outcome{0, last_error()};
  }
  return by_completion(*this, l.it(), rq, ctx);
}

outcome uring::finish_first(io_lock& l, io_request& rq) {
  wait_result why = wait_result::none;
  if (!l.it().ended(rq.op, why)) end_early(*this, rq);
  if (rq.op.res >= 0) return {rq.op.res, {}};
  if (const auto o = finish_or_retry(*this, l.it(), rq, nullptr, why)) return *o;
  return by_completion(*this, l.it(), rq, nullptr);
}

int uring::perform_on_file(io_request& rq) {
  start(rq);
  wait_until_done(rq.op);
  return rq.op.res;
}

std::error_code uring::wait_for_foreign(int fd, short events, const context* ctx) {
  direction of_this_call;
  poll_for ready(fd, events);
  return by_completion(*this, of_this_call, ready, ctx).err;
}

}  // namespace weft::detail
