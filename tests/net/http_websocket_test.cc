// A WebSocket by Boost.Beast on a connection that a handler has taken from the server: weft needs
// no code of its own.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional
#endif
#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include "tests/net/plain_server.h"

using namespace weft;
using namespace weft::testing;

namespace {

namespace websocket = boost::beast::websocket;

// A connection as Beast's SyncStream. Its operations park the fiber; the context that Beast takes
// an executor of never runs.
class beast_stream {
 public:
  using executor_type = boost::asio::io_context::executor_type;
  beast_stream(net::conn c, boost::asio::io_context& unused) : c_(std::move(c)), executor_(unused.get_executor()) {}

  executor_type get_executor() noexcept { return executor_; }
  template <class Buffers>
  std::size_t read_some(const Buffers& to, boost::system::error_code& e) {
    for (auto at = boost::asio::buffer_sequence_begin(to); at != boost::asio::buffer_sequence_end(to); ++at) {
      const boost::asio::mutable_buffer one(*at);
      if (one.size() == 0) continue;
      const auto [n, err] = c_.read({static_cast<std::byte*>(one.data()), one.size()});
      e = err ? boost::asio::error::eof : boost::system::error_code();
      return n;
    }
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& to) {
    return or_throw([&](auto& e) { return read_some(to, e); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from, boost::system::error_code& e) {
    std::size_t all = 0;
    for (auto at = boost::asio::buffer_sequence_begin(from); at != boost::asio::buffer_sequence_end(from); ++at) {
      const boost::asio::const_buffer one(*at);
      const auto [n, err] = c_.write(std::span(static_cast<const std::byte*>(one.data()), one.size()));
      all += n;
      e = err ? boost::asio::error::broken_pipe : boost::system::error_code();
      if (e) break;
    }
    return all;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from) {
    return or_throw([&](auto& e) { return write_some(from, e); });
  }
  friend void teardown(boost::beast::role_type, beast_stream& s, boost::system::error_code& e) {
    (void)s.c_.close();
    e = {};
  }

 private:
  template <class F>
  static std::size_t or_throw(F f) {
    boost::system::error_code e;
    const std::size_t n = f(e);
    if (e) throw boost::system::system_error(e);
    return n;
  }
  net::conn c_;
  executor_type executor_;
};

void echo(http::response_writer& w, const http::request& r) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (const http::header_field& f : r.headers()) (((head += f.name) += ": ") += f.value) += "\r\n";
  auto [h, err] = w.hijack();
  FACT(!err);
  boost::asio::io_context unused;
  websocket::stream<beast_stream> ws(h.conn, unused);
  boost::system::error_code e;
  ws.accept(boost::asio::buffer(head + "\r\n" + h.rest), e);
  FACT(!e);
  for (boost::beast::flat_buffer message;; message.clear()) {
    ws.read(message, e);
    if (e) break;
    ws.text(ws.got_text());
    ws.write(message.data(), e);
  }
  FACT(e == websocket::error::closed);
}

}  // namespace

TEST_CASE("a WebSocket by Beast lives on a hijacked connection", "[http][websocket]") {
  on_each_poller([] {
    const hang_guard guard("websocket");
    plain_server s(echo);
    boost::asio::io_context unused;
    websocket::stream<beast_stream> ws(net::dial("tcp", s.place()).unwrap(), unused);
    ws.handshake("a", "/");
    for (const std::size_t size : {1U, 1000U, 100'000U}) {
      const std::string text(size, 'x');
      ws.write(boost::asio::buffer(text));
      boost::beast::flat_buffer got;
      ws.read(got);
      FACT(boost::beast::buffers_to_string(got.data()) == text);
    }
    ws.close(websocket::close_code::normal);
  });
}
