#include <sys/socket.h>
#include <weft/net.h>

#include <cerrno>

#include "net/open_socket.h"
#include "net/perform.h"
#include "net/requests.h"
#include "net/resolve.h"

namespace weft::net {

using namespace detail;

namespace {

// A TCP socket may connect to itself when its own port, chosen by the kernel, is the one that it dials.
bool met_itself(const descriptor& d) { return d.local() == d.remote() && d.local().network() == "tcp"; }

result<conn> dial_one(const context* ctx, const endpoint& to, std::int64_t deadline_ns) {
  for (int tries = 0; tries < 3; ++tries) {
    owned_fd s = new_socket(to.family(), to.type());
    if (s.get() < 0) return {{}, last_error()};
    set_defaults(s.get(), to);
    const int fd = s.get();
    const descriptor_ref connecting(new descriptor(s.release(), {}, to));
    if (deadline_ns != never) connecting.get()->half_for(half_of::writing).set_deadline(deadline_ns);
    outcome got;
    {
      turn t(connecting.get(), half_of::writing, ctx);
      if (t.error()) return {{}, t.error()};
      connect_to rq(fd, to.address(), to.length());
      got = perform(t, rq, ctx);
    }
    if (got.err) return {{}, got.err};
    connecting.get()->connected(to);
    if (!met_itself(*connecting.get())) return {conn(connecting), {}};
  }
  return {{}, make_error_code(std::errc::connection_refused)};
}

result<conn> dial_to(const context* ctx, std::string_view network, std::string_view address, std::int64_t deadline_ns) {
  auto [found, err] = resolve(ctx, network, address, purpose::to_dial);
  if (err) return {{}, err};
  std::error_code first;
  for (const endpoint& to : found) {
    auto [c, e] = dial_one(ctx, to, deadline_ns);
    if (!e) return {std::move(c), {}};
    if (!first) first = e;
    if (ctx && ctx->err()) return {{}, ctx->err()};
    if (e == weft::errc::timeout) return {{}, e};
  }
  return {{}, first};
}

}  // namespace

result<conn> dial(std::string_view network, std::string_view address) { return dial_to(nullptr, network, address, never); }
result<conn> dial(const context& ctx, std::string_view network, std::string_view address) {
  return dial_to(&ctx, network, address, never);
}
result<conn> dial_timeout(std::string_view network, std::string_view address, duration limit) {
  return dial_to(nullptr, network, address, deadline_after(limit));
}

}  // namespace weft::net
