#include "net/tls/session.h"

#include <sys/socket.h>
#include <weft/time.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "net/fd/descriptor.h"
#include "net/tls/errors.h"
#include "net/tls/linger.h"

namespace weft::tls::detail {
namespace {

constexpr std::size_t record_size = 16 << 10;           // the most that one record carries
constexpr std::size_t read_size = record_size + 512;    // with what surrounds it
constexpr std::size_t kept_size = 4 << 10;              // of a buffer at rest

// For what net::conn does not do: send without ever waiting, and say what its deadlines are.
struct inner : net::conn {
  explicit inner(const net::conn& c) : net::conn(c) {}
  weft::detail::descriptor* get() const noexcept { return d_.get(); }
};

std::size_t send_at_once(const net::conn& c, std::span<const std::byte> data) {
  const inner i(c);
  const weft::detail::in_use hold(i.get());
  if (!hold) return 0;
  const ssize_t n = ::send(i.get()->fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

// 0 also at the end of the stream, or after an error: the next receive() says so.
std::size_t receive_at_once(const net::conn& c, std::span<std::byte> to) {
  const inner i(c);
  const weft::detail::in_use hold(i.get());
  if (!hold) return 0;
  const ssize_t n = ::recv(i.get()->fd(), to.data(), to.size(), MSG_DONTWAIT);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

time_point deadline_of(const net::conn& c, weft::detail::direction_kind h) {
  const inner i(c);
  return i.get() ? time_point(duration(i.get()->direction_for(h).deadline())) : time_point::max();
}

// A mutex held to the end of the scope, unless there is an error.
class hold_of {
 public:
  hold_of(mutex& m, const context* ctx) : m_(m) {
    if (ctx) err = m.lock(*ctx);
    else m.lock();
  }
  hold_of(const hold_of&) = delete;
  hold_of& operator=(const hold_of&) = delete;
  ~hold_of() {
    if (!err) m_.unlock();
  }
  std::error_code err;

 private:
  mutex& m_;
};

result<std::size_t> read_socket(const net::conn& c, const context* ctx, std::span<std::byte> to) {
  return ctx ? c.read(*ctx, to) : c.read(to);
}

bool is_stream(const net::conn& c) {
  const int type = c.remote_addr().type();
  return type != SOCK_DGRAM && type != SOCK_SEQPACKET;
}

}  // namespace

session::session(net::conn c, const config& how, side s)
    : socket_(std::move(c)),
      settings_(settings_of(how, s, socket_.remote_addr())),
      handshake_time_(how.handshake_time),
      checks_peer_(s == side::client ? !how.insecure_skip_verify : how.clients != client_auth::none),
      read_at_(deadline_of(socket_, weft::detail::direction_kind::reading)),
      write_at_(deadline_of(socket_, weft::detail::direction_kind::writing)) {
  auto [ssl, err] = make_ssl(how, s, &settings_);
  cannot_begin_ = !err && !is_stream(socket_) ? net::make_error_code(net::errc::unknown_network) : err;
  if (ssl) engine_.start(std::move(ssl));
}

session::~session() {
  try {
    (void)close();
  } catch (const std::bad_alloc&) {  // for the last bytes to the peer
    (void)socket_.close();
  }
}

std::error_code session::handshake(const context* ctx) {
  const hold_of t(agreeing_, ctx);
  if (t.err || agreed_) return t.err;
  if (cannot_begin_) return cannot_begin_;
  if (!socket_) return weft::errc::closed;
  begin_handshake_time();
  if (const std::error_code e = agree(ctx)) return e;
  agreed_ = true;
  holds_buffers_.store(true, std::memory_order_relaxed);  // those of the certificates
  end_handshake_time();
  return {};
}

std::error_code session::agree(const context* ctx) {
  for (;;) {
    const step s = engine_.handshake();
    std::error_code sent;
    {
      const hold_of t(writing_, nullptr);
      sent = send(ctx);  // also when it fails: the peer should know why
    }
    if (s.err || sent) return s.err ? s.err : sent;
    if (!s.wants_input) return {};
    if (const std::error_code e = read_more(ctx))
      return e == weft::errc::eof ? own_error(errc::closed_in_handshake) : e;
  }
}

// One read of the socket, for the engine. After one that was full the next is into a large buffer,
// if more is there already.
std::error_code session::read_more(const context* ctx) {
  if (in_) {
    if (const std::error_code e = read_socket(socket_, ctx, {}).err) return e;  // late, closed or done
    const std::span<std::byte> all(in_.get(), read_size);
    if (const std::size_t n = receive_at_once(socket_, all)) {
      engine_.feed(all.first(n));
      return {};
    }
  }
  rest();
  const auto [got, err] = ctx ? socket_.receive(*ctx) : socket_.receive();
  rests_.store(false, std::memory_order_relaxed);
  if (err) return err;
  engine_.feed(got);
  if (got.size() < net::received::most) return {};
  holds_buffers_.store(true, std::memory_order_relaxed);
  in_ = std::make_unique_for_overwrite<std::byte[]>(read_size);
  return {};
}

// Gives back the buffers of large records.
void session::rest() {
  in_.reset();
  rests_.store(true, std::memory_order_relaxed);
  if (!holds_buffers_.load(std::memory_order_relaxed)) return;
  if (!writing_.try_lock()) return;  // a writer is under way, and gives them back
  const std::lock_guard hold(writing_, std::adopt_lock);
  give_back_buffers_locked();
}

void session::give_back_buffers_locked() {
  holds_buffers_.store(false, std::memory_order_relaxed);
  if (out_.empty()) std::vector<std::byte>().swap(out_);  // an assignment would keep the room
  engine_.give_back_buffers();
}

// With writing_ held: what the engine has for the peer. What the socket has not taken stays.
std::error_code session::send(const context* ctx) {
  engine_.take_output(out_);
  if (out_.empty()) return {};
  const std::span<const std::byte> all(out_);
  const auto [n, err] = ctx ? socket_.write(*ctx, all) : socket_.write(all);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(n));
  return err;
}

// What there is for the peer, as far as it can go now. A writer that is under way takes it along.
// An error if the peer makes us answer more than it reads (by KeyUpdate or renegotiation).
std::error_code session::tell_at_once() {
  constexpr std::size_t most_unread = 64 << 10;
  const std::error_code refused = make_error_code(std::errc::no_buffer_space);
  if (!writing_.try_lock()) return engine_.output_size() > most_unread ? engine_.fail(refused) : std::error_code();
  const std::lock_guard hold(writing_, std::adopt_lock);
  tell_at_once_locked();
  if (out_.size() <= most_unread) return {};
  out_ = {};  // and the close does not wait until the peer has read it
  if (!write_end_) write_end_ = refused;
  return engine_.fail(refused);
}

void session::tell_at_once_locked() {
  engine_.take_output(out_);
  if (out_.empty()) return;
  const std::size_t n = send_at_once(socket_, out_);
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(n));
}

result<std::size_t> session::read(const context* ctx, std::span<std::byte> buf) {
  if (const std::error_code e = handshake(ctx)) return {0, e};
  const hold_of t(reading_, ctx);
  if (t.err) return {0, t.err};
  // What is decrypted already is not read after a deadline, a context's end or a close either.
  if (const std::error_code e = read_socket(socket_, ctx, {}).err; e || buf.empty()) return {0, e};
  for (;;) {
    const step s = engine_.read(buf);
    if (const std::error_code e = s.has_output ? tell_at_once() : std::error_code()) return {0, e};
    if (s.err) return {0, s.err};
    if (!s.wants_input) return {s.n, {}};
    if (const std::error_code e = read_more(ctx))
      return {0, e == weft::errc::eof ? own_error(errc::unexpected_eof) : e};
  }
}

result<std::size_t> session::write(const context* ctx, std::span<const std::byte> data) {
  if (const std::error_code e = handshake(ctx)) return {0, e};
  const hold_of t(writing_, ctx);
  if (t.err) return {0, t.err};
  if (!socket_) return {0, weft::errc::closed};
  if (write_end_) return {0, write_end_};
  if (write_is_late()) return {0, weft::errc::timeout};
  if (data.size() > kept_size) holds_buffers_.store(true, std::memory_order_relaxed);
  std::size_t done = 0;
  while (done < data.size()) {
    const auto piece = data.subspan(done, std::min(record_size, data.size() - done));
    const step s = engine_.write(piece);
    if (s.err) return {done, write_end_ = s.err};
    // What is encrypted counts for the peer, so a record that was not sent whole is the end of the
    // stream.
    if (const std::error_code e = send(ctx)) return {done, write_end_ = e};
    done += piece.size();
  }
  if (data.size() > kept_size && rests_.load(std::memory_order_relaxed)) give_back_buffers_locked();
  return {done, {}};
}

std::error_code session::close_write() {
  if (const std::error_code e = handshake(nullptr)) return e;
  const hold_of t(writing_, nullptr);
  if (!socket_) return weft::errc::closed;
  if (write_end_) return write_end_;
  engine_.say_goodbye();
  const std::error_code e = send(nullptr);
  write_end_ = e ? e : make_error_code(std::errc::broken_pipe);
  said_goodbye_ = !e;
  return e;
}

std::error_code session::close() {
  if (!socket_) return weft::errc::closed;
  if (writing_.try_lock()) {
    const std::lock_guard hold(writing_, std::adopt_lock);
    // After a write that failed a goodbye would make the stream look whole.
    if (!write_end_) engine_.say_goodbye();
    if (!write_end_) tell_at_once_locked();
    if (!write_end_ || said_goodbye_) linger_locked();
  }
  return socket_.close();
}

void session::linger_locked() {
  const inner i(socket_);
  const weft::detail::in_use hold(i.get());
  if (hold) linger(i.get()->fd(), std::exchange(out_, {}));
}

void session::set_deadline(direction d, time_point at) {
  const std::lock_guard hold(deadlines_);
  if (d != direction::writing) read_at_ = at;
  if (d != direction::reading) write_at_ = at;
  apply_deadlines_locked();
}

// A handshake reads and writes, for a reader or a writer, so each deadline bounds both.
void session::apply_deadlines_locked() const {
  const time_point first = std::min({read_at_, write_at_, handshake_at_});
  socket_.set_read_deadline(handshake_is_timed_ ? first : read_at_);
  socket_.set_write_deadline(handshake_is_timed_ ? first : write_at_);
}

void session::begin_handshake_time() {
  const std::lock_guard hold(deadlines_);
  if (handshake_at_ == time_point::max() && handshake_time_.count() > 0) handshake_at_ = now() + handshake_time_;
  apply_deadlines_locked();
}

void session::end_handshake_time() {
  const std::lock_guard hold(deadlines_);
  handshake_is_timed_ = false;
  apply_deadlines_locked();
}

bool session::write_is_late() {
  const std::lock_guard hold(deadlines_);
  return write_at_ != time_point::max() && write_at_ <= now();
}

}  // namespace weft::tls::detail
