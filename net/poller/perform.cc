#include "net/poller/perform.h"

#include "net/fd/on_thread.h"
#include "net/fd/requests.h"
#include "net/fd/seen_by_tsan.h"
#include "net/poller/choose.h"

namespace weft::detail {

outcome perform(const io_lock& l, io_request& rq, const context* ctx) {
  [[maybe_unused]] const seen_by_tsan order(rq);
  backend* b = backend_of_fiber();
  return b ? b->perform(l, rq, ctx) : perform_on_thread(l.it(), rq, ctx);
}

outcome lock_and_perform(io_lock& l, io_request& rq, const context* ctx) {
  if (!l.lock(ctx)) return {0, l.error()};
  return perform(l, rq, ctx);
}

std::error_code wait_for_foreign(int fd, short events, const context* ctx) {
  if (ctx)
    if (const std::error_code e = error_of(*ctx)) return e;
  if (backend* b = backend_of_fiber()) return b->wait_for_foreign(fd, events, ctx);
  direction of_this_call;
  poll_for ready(fd, events);
  return perform_on_thread(of_this_call, ready, ctx).err;
}

}  // namespace weft::detail
