// System calls of the caller's own on a socket, in its turn: no close, no deadline and no other
// operation comes between the number and the call.
#include <weft/net.h>

#include <cerrno>

#include "net/poller/perform.h"

namespace weft::detail {
namespace {

// Not an operation of io_uring: attempts, with waits between them.
struct call_again final : io_request {
  bool (*const f)(void*, int);
  void* const arg;
  call_again(int s, short wanted, bool (*call)(void*, int), void* its_arg) noexcept
      : io_request(s, wanted, io_traits{.has_sqe = false}), f(call), arg(its_arg) {}
  void prepare(io_uring_sqe&) override {}
  int attempt() override { return f(arg, fd) ? 0 : -EAGAIN; }
};

}  // namespace

std::error_code raw_control(descriptor* d, bool (*f)(void*, int), void* arg) {
  const in_use hold(d);
  if (!hold) return errc::closed;
  f(arg, d->fd());
  return {};
}

std::error_code raw_calls(descriptor* d, bool writes, const context* ctx, bool (*f)(void*, int), void* arg) {
  io_lock t(d, writes ? direction_kind::writing : direction_kind::reading, ctx);
  if (t.error()) return t.error();
  t.it().drained = false;  // f is called once in any case
  call_again rq(t.fd(), writes ? POLLOUT : POLLIN, f, arg);
  return perform(t, rq, ctx).err;
}

}  // namespace weft::detail
