// What HTTP asks of a connection, be it plain or over TLS.
//
// net::conn and tls::conn have the same shape, so one template makes a stream of either, and the
// rest of HTTP depends on neither: without OpenSSL it is built without the other. Refused:
// templates all the way up, which would compile the parser twice.
#pragma once
#include <weft/context.h>
#include <weft/net.h>
#include <weft/tls.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft::http::detail {

class stream {
 public:
  stream() = default;
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  virtual ~stream() = default;

  // Gets what receive() has read.
  struct sink {
    virtual void operator()(std::span<const std::byte> data) = 0;

   protected:
    ~sink() = default;
  };

  // What the two must agree on before the first request, if there is anything.
  virtual bool must_begin() const = 0;
  virtual std::error_code begin() = 0;
  virtual result<std::size_t> read(std::span<std::byte> buf) = 0;
  virtual result<std::size_t> read(const context& ctx, std::span<std::byte> buf) = 0;
  // As read(), without a buffer while it blocks.
  virtual std::error_code receive(sink& to) = 0;
  virtual result<std::size_t> write(std::string_view text) = 0;
  virtual result<std::size_t> write(const context& ctx, std::string_view text) = 0;
  // All parts, in order.
  virtual std::error_code write_all(std::span<const std::string_view> parts) = 0;
  // As net::conn's. std::errc::operation_not_supported over TLS.
  virtual result<std::uint64_t> send_file(int file, std::uint64_t offset, std::uint64_t count) = 0;
  virtual void set_read_deadline(time_point at) = 0;
  virtual void set_write_deadline(time_point at) = 0;
  virtual std::error_code close_write() = 0;
  virtual std::error_code close() = 0;
  // While it is set, the connection's end is no regular end of what was sent: a peer gets
  // ECONNRESET, also if close() is not called.
  virtual void set_abortive(bool on) = 0;
  virtual const net::endpoint& remote_addr() const = 0;
  // One of them is the connection: the second one over TLS.
  virtual net::conn plain() const = 0;
  virtual tls::conn secure() const = 0;
  virtual std::optional<tls::connection_state> tls_state() const = 0;
  // True if the peer has sent nothing that was not read, and has not ended the connection. Does not
  // wait.
  virtual bool is_quiet() const = 0;
};

// The same of the socket alone.
bool is_quiet(const net::conn& c);

struct nothing_first {};

// Begin: std::error_code(const Conn&), or nothing_first.
template <class Conn, class Begin>
class stream_over final : public stream {
 public:
  stream_over(Conn c, Begin b) : c_(std::move(c)), begin_(std::move(b)) {}
  ~stream_over() override {
    if constexpr (!is_plain)
      if (abortive_.load(std::memory_order_relaxed)) (void)c_.net_conn().close();  // TLS would say that all was sent
  }

  bool must_begin() const override { return !std::is_same_v<Begin, nothing_first>; }
  std::error_code begin() override {
    if constexpr (std::is_same_v<Begin, nothing_first>) return {};
    else return begin_(c_);
  }
  result<std::size_t> read(std::span<std::byte> buf) override { return c_.read(buf); }
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) override { return c_.read(ctx, buf); }
  std::error_code receive(sink& to) override {
    if constexpr (is_plain) {
      const auto got = c_.receive();
      if (!got.err) to(got.value);
      return got.err;
    } else {
      std::array<std::byte, 1024> room;
      const auto got = c_.read(room);
      if (!got.err) to(std::span(room).first(got.value));
      return got.err;
    }
  }
  result<std::size_t> write(std::string_view text) override { return c_.write(text); }
  result<std::size_t> write(const context& ctx, std::string_view text) override {
    return c_.write(ctx, std::as_bytes(std::span(text)));
  }
  std::error_code write_all(std::span<const std::string_view> parts) override {
    if constexpr (is_plain) {
      std::array<std::span<const std::byte>, 3> pieces;
      std::size_t n = 0;
      for (const std::string_view part : parts) pieces.at(n++) = std::as_bytes(std::span(part));
      return c_.write_v(std::span<const std::span<const std::byte>>(pieces).first(n)).err;
    } else {
      for (const std::string_view part : parts)
        if (const std::error_code e = part.empty() ? std::error_code() : c_.write(part).err) return e;
      return {};
    }
  }
  result<std::uint64_t> send_file(int file, std::uint64_t offset, std::uint64_t count) override {
    if constexpr (is_plain) return c_.send_file(file, offset, count);
    else return {0, make_error_code(std::errc::operation_not_supported)};
  }
  void set_read_deadline(time_point at) override { c_.set_read_deadline(at); }
  void set_write_deadline(time_point at) override { c_.set_write_deadline(at); }
  std::error_code close_write() override { return c_.close_write(); }
  std::error_code close() override {
    if constexpr (!is_plain)
      if (abortive_.load(std::memory_order_relaxed)) return c_.net_conn().close();  // without TLS's own end
    return c_.close();
  }
  void set_abortive(bool on) override {
    abortive_.store(on, std::memory_order_relaxed);
    if constexpr (is_plain) (void)c_.set_linger(on ? 0 : -1);
    else (void)c_.net_conn().set_linger(on ? 0 : -1);
  }
  const net::endpoint& remote_addr() const override { return c_.remote_addr(); }
  net::conn plain() const override {
    if constexpr (is_plain) return c_;
    else return {};
  }
  tls::conn secure() const override {
    if constexpr (is_plain) return {};
    else return c_;
  }
  std::optional<tls::connection_state> tls_state() const override {
    if constexpr (is_plain) return std::nullopt;
    else return c_.connection_state();
  }
  bool is_quiet() const override {
    if constexpr (is_plain) return detail::is_quiet(c_);
    else return !c_.has_buffered() && detail::is_quiet(c_.net_conn());
  }

 private:
  static constexpr bool is_plain = std::is_same_v<Conn, net::conn>;
  const Conn c_;
  const Begin begin_;
  std::atomic<bool> abortive_{false};
};

using stream_ptr = std::shared_ptr<stream>;

template <class Conn, class Begin>
stream_ptr make_stream(Conn c, Begin begin) {
  return std::make_shared<stream_over<Conn, Begin>>(std::move(c), std::move(begin));
}
inline stream_ptr plain_stream(net::conn c) { return make_stream(std::move(c), nothing_first()); }

}  // namespace weft::http::detail
