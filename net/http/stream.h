// What HTTP asks of a connection, be it plain or over TLS.
//
// net::conn and tls::conn have the same shape, so one template makes a stream of either, and the rest of HTTP knows
// none of the two: without OpenSSL it is built without the other. Refused: templates all the way up, which would
// compile the parser twice.
#pragma once
#include <weft/context.h>
#include <weft/net.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft::http::impl {

class stream {
 public:
  stream() = default;
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  virtual ~stream() = default;

  // What the two must agree on before the first request, if there is anything.
  virtual bool must_begin() const = 0;
  virtual std::error_code begin() = 0;
  virtual result<std::size_t> read(std::span<std::byte> buf) = 0;
  virtual result<std::size_t> read(const context& ctx, std::span<std::byte> buf) = 0;
  virtual result<std::size_t> write(std::string_view text) = 0;
  virtual result<std::size_t> write(const context& ctx, std::string_view text) = 0;
  virtual void set_read_deadline(time_point at) = 0;
  virtual void set_write_deadline(time_point at) = 0;
  virtual std::error_code close_write() = 0;
  virtual std::error_code close() = 0;
  virtual const net::endpoint& remote_addr() const = 0;
};

struct nothing_first {};

// Begin: std::error_code(const Conn&), or nothing_first.
template <class Conn, class Begin>
class stream_over final : public stream {
 public:
  stream_over(Conn c, Begin b) : c_(std::move(c)), begin_(std::move(b)) {}

  bool must_begin() const override { return !std::is_same_v<Begin, nothing_first>; }
  std::error_code begin() override {
    if constexpr (std::is_same_v<Begin, nothing_first>) return {};
    else return begin_(c_);
  }
  result<std::size_t> read(std::span<std::byte> buf) override { return c_.read(buf); }
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) override { return c_.read(ctx, buf); }
  result<std::size_t> write(std::string_view text) override { return c_.write(text); }
  result<std::size_t> write(const context& ctx, std::string_view text) override {
    return c_.write(ctx, std::as_bytes(std::span(text)));
  }
  void set_read_deadline(time_point at) override { c_.set_read_deadline(at); }
  void set_write_deadline(time_point at) override { c_.set_write_deadline(at); }
  std::error_code close_write() override { return c_.close_write(); }
  std::error_code close() override { return c_.close(); }
  const net::endpoint& remote_addr() const override { return c_.remote_addr(); }

 private:
  const Conn c_;
  const Begin begin_;
};

using stream_ptr = std::shared_ptr<stream>;

template <class Conn, class Begin>
stream_ptr make_stream(Conn c, Begin begin) {
  return std::make_shared<stream_over<Conn, Begin>>(std::move(c), std::move(begin));
}
inline stream_ptr plain_stream(net::conn c) { return make_stream(std::move(c), nothing_first()); }

}  // namespace weft::http::impl
