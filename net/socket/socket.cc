#include <weft/net.h>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <poll.h>
#include <cerrno>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"

namespace weft::detail {

void add_ref(descriptor* d) noexcept { d->add_handle(); }
void drop_ref(descriptor* d) noexcept { d->drop_handle(); }

}  // namespace weft::detail

namespace weft::net {

using namespace weft::detail;

namespace {

const endpoint nowhere;

std::int64_t nanoseconds(time_point at) noexcept { return at.time_since_epoch().count(); }

// Reads no byte of a stream: reports whether it may be read.
[[gnu::noinline]] result<std::size_t> read_nothing(descriptor* d, const context* ctx) {
  const io_lock t(d, direction_kind::reading, ctx);
  return {0, t.error()};
}

[[gnu::always_inline]] inline result<std::size_t> read_some(descriptor* d, const context* ctx,
                                                            std::span<std::byte> buf) {
  const bool packets = d && !d->is_stream && d->remote().type() == SOCK_DGRAM;
  if (buf.empty() && !packets) return read_nothing(d, ctx);
  receive rq(fd_of(d), buf.data(), buf.size());
  io_lock t(d, direction_kind::reading);
  const outcome got = perform_first(t, d, rq, ctx);
  if (got.err) return {0, got.err};
  const auto n = static_cast<std::size_t>(got.n);
  t.it().drained = t.of().is_stream && n < buf.size();
  if (n == 0 && !packets) return {0, weft::errc::eof};
  return {n, {}};
}

// `done` bytes are written.
[[gnu::noinline]] result<std::size_t> write_rest(io_lock& t, const context* ctx, std::span<const std::byte> data,
                                                 std::size_t done) {
  while (done < data.size()) {
    const auto rest = data.subspan(done);
    send rq(t.fd(), rest.data(), rest.size());
    const outcome sent = perform(t, rq, ctx);
    if (sent.err) return {done, sent.err};
    done += static_cast<std::size_t>(sent.n);
  }
  return {done, {}};
}

[[gnu::always_inline]] inline result<std::size_t> write_all(descriptor* d, const context* ctx,
                                                            std::span<const std::byte> data) {
  send rq(fd_of(d), data.data(), data.size());
  io_lock t(d, direction_kind::writing);
  const outcome sent = perform_first(t, d, rq, ctx);
  if (sent.err) return {0, sent.err};
  const auto n = static_cast<std::size_t>(sent.n);
  if (n < data.size()) [[unlikely]]
    return write_rest(t, ctx, data, n);
  return {n, {}};
}

std::error_code shut(descriptor* d, int how) {
  const in_use hold(d);
  if (!hold) return weft::errc::closed;
  return shutdown(d->fd(), how) == 0 ? std::error_code() : last_error();
}

}  // namespace

std::error_code socket::close() const { return d_.get() ? d_.get()->close() : make_error_code(weft::errc::closed); }

void socket::set_deadline(time_point at) const {
  set_read_deadline(at);
  set_write_deadline(at);
}
void socket::set_read_deadline(time_point at) const {
  const in_use hold(d_.get());
  if (hold) d_.get()->direction_for(direction_kind::reading).set_deadline(nanoseconds(at));
}
void socket::set_write_deadline(time_point at) const {
  const in_use hold(d_.get());
  if (hold) d_.get()->direction_for(direction_kind::writing).set_deadline(nanoseconds(at));
}

std::error_code socket::set_option(int level, int name, const void* value, std::size_t size) const {
  const in_use hold(d_.get());
  if (!hold) return weft::errc::closed;
  if (setsockopt(d_.get()->fd(), level, name, value, static_cast<socklen_t>(size)) == 0) return {};
  return last_error();
}
std::error_code socket::set_read_buffer(int bytes) const { return set_option(SOL_SOCKET, SO_RCVBUF, bytes); }
std::error_code socket::set_write_buffer(int bytes) const { return set_option(SOL_SOCKET, SO_SNDBUF, bytes); }
std::error_code socket::set_no_delay(bool on) const { return set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }
std::error_code socket::set_linger(int seconds) const {
  const linger how{.l_onoff = seconds >= 0 ? 1 : 0, .l_linger = seconds >= 0 ? seconds : 0};
  return set_option(SOL_SOCKET, SO_LINGER, &how, sizeof how);
}
std::error_code socket::set_keep_alive(duration idle) const {
  if (idle.count() <= 0) return set_option(SOL_SOCKET, SO_KEEPALIVE, 0);
  const auto seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(idle).count());
  if (const std::error_code e = set_option(SOL_SOCKET, SO_KEEPALIVE, 1)) return e;
  if (const std::error_code e = set_option(IPPROTO_TCP, TCP_KEEPIDLE, seconds)) return e;
  return set_option(IPPROTO_TCP, TCP_KEEPINTVL, seconds);
}

int socket::fd() const noexcept { return d_.get() && !d_.get()->closed() ? d_.get()->fd() : -1; }
socket::operator bool() const noexcept { return d_.get() && !d_.get()->closed(); }

result<std::size_t> conn::read(std::span<std::byte> buf) const { return read_some(d_.get(), nullptr, buf); }
result<std::size_t> conn::read(const context& ctx, std::span<std::byte> buf) const {
  return read_some(d_.get(), &ctx, buf);
}
result<std::size_t> conn::write(std::span<const std::byte> data) const { return write_all(d_.get(), nullptr, data); }
result<std::size_t> conn::write(const context& ctx, std::span<const std::byte> data) const {
  return write_all(d_.get(), &ctx, data);
}

std::error_code conn::close_read() const { return shut(d_.get(), SHUT_RD); }
std::error_code conn::close_write() const { return shut(d_.get(), SHUT_WR); }

const endpoint& conn::local_addr() const { return d_.get() ? d_.get()->local() : nowhere; }
const endpoint& conn::remote_addr() const { return d_.get() ? d_.get()->remote() : nowhere; }
const endpoint& listener::addr() const { return d_.get() ? d_.get()->local() : nowhere; }

std::error_code wait_readable(int fd) { return wait_for_foreign(fd, POLLIN, nullptr); }
std::error_code wait_writable(int fd) { return wait_for_foreign(fd, POLLOUT, nullptr); }
std::error_code wait_readable(const context& ctx, int fd) { return wait_for_foreign(fd, POLLIN, &ctx); }
std::error_code wait_writable(const context& ctx, int fd) { return wait_for_foreign(fd, POLLOUT, &ctx); }

}  // namespace weft::net
