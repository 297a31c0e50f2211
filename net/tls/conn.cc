#include "net/tls/session.h"

namespace weft::tls {

using namespace detail;

namespace {

const net::conn no_socket;

conn of_session(net::conn c, const config& how, side s) {
  return conn(std::make_shared<session>(std::move(c), how, s));
}
conn wrapped(net::conn c, const config& how, side s) {
  check(how, s);
  return of_session(std::move(c), how, s);
}

// The host of "host:port" or "[host]:port"; sockets with a path have none.
std::string host_in(std::string_view network, std::string_view address) {
  const auto colon = address.rfind(':');
  if (!network.starts_with("tcp") || colon == std::string_view::npos) return {};
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

result<conn> dial_with(const context* ctx, std::string_view network, std::string_view address, const config& how) {
  auto [socket, err] = ctx ? net::dial(*ctx, network, address) : net::dial(network, address);
  if (err) return {{}, err};
  config named = how;
  if (named.server_name.empty()) named.server_name = host_in(network, address);
  conn c = client(std::move(socket), named);
  if (const std::error_code e = ctx ? c.handshake(*ctx) : c.handshake()) return {{}, e};
  return {std::move(c), {}};
}

}  // namespace

std::error_code conn::handshake() const { return s_ ? s_->handshake(nullptr) : weft::errc::closed; }
std::error_code conn::handshake(const context& ctx) const { return s_ ? s_->handshake(&ctx) : weft::errc::closed; }

result<std::size_t> conn::read(std::span<std::byte> buf) const {
  return s_ ? s_->read(nullptr, buf) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> conn::read(const context& ctx, std::span<std::byte> buf) const {
  return s_ ? s_->read(&ctx, buf) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> conn::write(std::span<const std::byte> data) const {
  return s_ ? s_->write(nullptr, data) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> conn::write(const context& ctx, std::span<const std::byte> data) const {
  return s_ ? s_->write(&ctx, data) : result<std::size_t>{0, weft::errc::closed};
}

std::error_code conn::close_write() const { return s_ ? s_->close_write() : weft::errc::closed; }
std::error_code conn::close() const { return s_ ? s_->close() : weft::errc::closed; }

void conn::set_deadline(time_point at) const {
  if (s_) s_->set_deadline(session::direction::both, at);
}
void conn::set_read_deadline(time_point at) const {
  if (s_) s_->set_deadline(session::direction::reading, at);
}
void conn::set_write_deadline(time_point at) const {
  if (s_) s_->set_deadline(session::direction::writing, at);
}

connection_state conn::connection_state() const { return s_ ? s_->state() : tls::connection_state(); }
const net::conn& conn::net_conn() const { return s_ ? s_->socket() : no_socket; }
const net::endpoint& conn::local_addr() const { return net_conn().local_addr(); }
const net::endpoint& conn::remote_addr() const { return net_conn().remote_addr(); }
bool conn::has_buffered() const { return s_ && s_->has_buffered(); }
conn::operator bool() const noexcept { return s_ && s_->socket(); }

conn client(net::conn c, const config& how) { return wrapped(std::move(c), how, side::client); }
conn server(net::conn c, const config& how) { return wrapped(std::move(c), how, side::server); }

listener::listener(net::listener l, config how) : l_(std::move(l)) {
  check(how, side::server);
  how_ = std::make_shared<const config>(std::move(how));
}

// Without check(): config::certificates may be empty at this moment, which fails the handshake.
result<conn> listener::accept() const {
  auto [c, err] = l_.accept();
  return err ? result<conn>{{}, err} : result<conn>{of_session(std::move(c), *how_, side::server), {}};
}
result<conn> listener::accept(const context& ctx) const {
  auto [c, err] = l_.accept(ctx);
  return err ? result<conn>{{}, err} : result<conn>{of_session(std::move(c), *how_, side::server), {}};
}

result<listener> listen(std::string_view network, std::string_view address, const config& how) {
  check(how, side::server);
  if (network == "unixpacket") return {{}, net::errc::unknown_network};
  auto [l, err] = net::listen(network, address);
  return err ? result<listener>{{}, err} : result<listener>{listener(std::move(l), how), {}};
}

result<conn> dial(std::string_view network, std::string_view address, const config& how) {
  return dial_with(nullptr, network, address, how);
}
result<conn> dial(const context& ctx, std::string_view network, std::string_view address, const config& how) {
  return dial_with(&ctx, network, address, how);
}

}  // namespace weft::tls
