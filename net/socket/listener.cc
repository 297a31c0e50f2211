#include <sys/socket.h>
#include <weft/net.h>

#include <cerrno>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"
#include "net/socket/resolve.h"

namespace weft::net {

using namespace weft::detail;

namespace {

// The kernel takes the smaller of this and net.core.somaxconn.
constexpr int backlog = 65535;

result<listener> listen_at(const endpoint& at, bool both_families) {
  const int family = at.family();
  owned_fd s = new_socket(family, at.type());
  if (s.get() < 0) return {{}, last_error()};
  const int on = 1, v6_only = both_families ? 0 : 1;
  if (family != AF_UNIX) setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  set_defaults(s.get(), at);  // accepted sockets inherit them
  if (bind(s.get(), at.address(), at.length()) != 0) return {{}, last_error()};
  if (::listen(s.get(), backlog) != 0) {
    const std::error_code why = last_error();
    unlink_path(at);
    return {{}, why};
  }
  const endpoint local = bound_name(s.get(), at);
  auto* d = new descriptor(s.get(), local, {});
  s.release();
  d->unlinks_path = family == AF_UNIX;
  return {listener(descriptor_ref(d)), {}};
}

result<listener> listen_on(const context* ctx, std::string_view network, std::string_view address) {
  auto [found, err] = resolve(ctx, network, address, purpose::to_listen);
  if (err) return {{}, err};
  if (found.front().type() == SOCK_DGRAM) return {{}, errc::unknown_network};
  const bool any = is_any_host(address) && network == "tcp";
  result<listener> l = listen_at(found.front(), any);
  if (any && (l.err == std::errc::address_family_not_supported || l.err == std::errc::address_not_available))
    return listen_on(ctx, "tcp4", address);
  return l;
}

// Errors of the connection that was to be accepted, not of the listener.
bool only_that_one(const std::error_code& e) noexcept {
  return e == std::errc::connection_aborted || e == std::errc::protocol_error || e == std::errc::connection_reset;
}

result<conn> accept_from(descriptor* d, const context* ctx) {
  io_lock t(d, direction_kind::reading, ctx);
  if (t.error()) return {{}, t.error()};
  for (;;) {
    accept_one rq(t.fd());
    const outcome got = perform(t, rq, ctx);
    if (only_that_one(got.err)) continue;
    if (got.err) return {{}, got.err};
    const endpoint remote(reinterpret_cast<sockaddr*>(&rq.peer), rq.length, t.of().local().type());
    return {conn(descriptor_ref(adopt_connection(owned_fd(got.n), remote))), {}};
  }
}

}  // namespace

result<conn> listener::accept() const { return accept_from(d_.get(), nullptr); }
result<conn> listener::accept(const context& ctx) const { return accept_from(d_.get(), &ctx); }

result<listener> listen(std::string_view network, std::string_view address) {
  return listen_on(nullptr, network, address);
}
result<listener> listen(const context& ctx, std::string_view network, std::string_view address) {
  return listen_on(&ctx, network, address);
}

}  // namespace weft::net
