#include <sys/socket.h>
#include <sys/uio.h>
#include <weft/net.h>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"
#include "net/socket/resolve.h"

namespace weft::net {

using namespace weft::detail;

namespace {

result<datagram> receive_one(descriptor* d, const context* ctx, std::span<std::byte> buf) {
  io_lock t(d, direction_kind::reading, ctx);
  if (t.error()) return {{}, t.error()};
  sockaddr_storage from{};
  iovec part{buf.data(), buf.size()};
  msghdr head{};
  head.msg_name = &from;
  head.msg_namelen = sizeof from;
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  receive_message rq(t.fd(), head);
  const outcome got = perform(t, rq, ctx);
  if (got.err) return {{}, got.err};
  return {{static_cast<std::size_t>(got.n),
           endpoint(reinterpret_cast<sockaddr*>(&from), head.msg_namelen, t.of().local().type())},
          {}};
}

result<std::size_t> send_one(descriptor* d, const context* ctx, std::span<const std::byte> data, const endpoint& to) {
  io_lock t(d, direction_kind::writing, ctx);
  if (t.error()) return {0, t.error()};
  if (to.length() == 0) return {0, make_error_code(std::errc::destination_address_required)};
  iovec part{const_cast<std::byte*>(data.data()), data.size()};
  msghdr head{};
  head.msg_name = const_cast<sockaddr*>(to.address());
  head.msg_namelen = to.length();
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  send_message rq(t.fd(), head);
  const outcome sent = perform(t, rq, ctx);
  return {static_cast<std::size_t>(sent.n), sent.err};
}

result<packet_conn> bind_to(const endpoint& at, bool both_families) {
  owned_fd s = new_socket(at.family(), at.type());
  if (s.get() < 0) return {{}, last_error()};
  const int v6_only = both_families ? 0 : 1;
  if (at.family() == AF_INET6) setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (bind(s.get(), at.address(), at.length()) != 0) return {{}, last_error()};
  auto* d = new descriptor(s.get(), bound_name(s.get(), at), {});
  s.release();
  d->unlinks_path = at.family() == AF_UNIX;
  return {packet_conn(descriptor_ref(d)), {}};
}

const endpoint nowhere;

}  // namespace

result<datagram> packet_conn::read_from(std::span<std::byte> buf) const { return receive_one(d_.get(), nullptr, buf); }
result<datagram> packet_conn::read_from(const context& ctx, std::span<std::byte> buf) const {
  return receive_one(d_.get(), &ctx, buf);
}
result<std::size_t> packet_conn::write_to(std::span<const std::byte> data, const endpoint& to) const {
  return send_one(d_.get(), nullptr, data, to);
}
result<std::size_t> packet_conn::write_to(const context& ctx, std::span<const std::byte> data,
                                          const endpoint& to) const {
  return send_one(d_.get(), &ctx, data, to);
}
const endpoint& packet_conn::local_addr() const { return d_.get() ? d_.get()->local() : nowhere; }

result<packet_conn> listen_packet(std::string_view network, std::string_view address) {
  auto [found, err] = weft::detail::resolve(nullptr, network, address, purpose::to_listen);
  if (err) return {{}, err};
  if (found.front().type() != SOCK_DGRAM) return {{}, errc::unknown_network};
  const bool any = is_any_host(address) && network == "udp";
  result<packet_conn> p = bind_to(found.front(), any);
  if (any && (p.err == std::errc::address_family_not_supported || p.err == std::errc::address_not_available))
    return listen_packet("udp4", address);
  return p;
}

result<endpoint> resolve(std::string_view network, std::string_view address) {
  auto [found, err] = weft::detail::resolve(nullptr, network, address, purpose::to_dial);
  if (err) return {{}, err};
  return {found.front(), {}};
}

}  // namespace weft::net
