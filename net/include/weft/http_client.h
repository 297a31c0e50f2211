// The client of HTTP/1.1. Go's net/http.Client.
//
//   weft::http::client c;
//   auto [answer, err] = c.get(weft::background(), "https://example.org/");
//   if (!err && answer.status == 200) use(answer.body);
//
// What comes from a server is data: no call throws for what a peer did, and limits hold however the
// bytes come. Errors are those of net and tls, the context's, and:
//   std::errc::invalid_argument         URL, method, field name, value or length is malformed
//   std::errc::protocol_not_supported   neither http:// nor https://, also in a redirect
//   std::errc::bad_message              the answer, or the Location of a redirect, is malformed
//   std::errc::message_size             the answer exceeds a limit
//   std::errc::connection_aborted       the connection ended inside an answer
//   std::errc::too_many_links           more redirects than client_limits::max_redirects
//   errc::eof                           the connection ended before an answer
//   errc::timeout                       a time of client_limits has passed
#pragma once
#include <weft/context.h>
#include <weft/detail/chrono.h>
#include <weft/errors.h>
#include <weft/tls.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::http {

class cookie_jar;
namespace detail {
struct client_state;
class incoming;
struct jar;
jar& jar_of(const cookie_jar& j) noexcept;
}  // namespace detail

// Names and values, in the order of the head. A name may be there more than once.
using header_list = std::vector<std::pair<std::string, std::string>>;

// What a client accepts, and how long it waits. A time of 0: no bound.
struct client_limits {
  std::size_t max_head = 1 << 20;  // bytes: all heads of an answer together, and its trailers
  std::uint64_t max_body = 64 << 20;  // bytes that send() collects, after decompression
  duration dial_time = std::chrono::seconds(30);  // lookup and connect. TLS: config::handshake_time
  duration head_time = std::chrono::seconds(120);  // from the request's end to the head's end
  duration silent_time = std::chrono::seconds(120);  // for each part of a body, in either direction
  duration total_time{0};  // from the call to the body's end, redirects included
  duration idle_time = std::chrono::seconds(90);  // until an unused connection is closed
  std::size_t max_idle = 64;  // unused connections that are kept
  int max_redirects = 10;  // 0: a redirect is the answer
};

// An answer with its whole body.
struct response {
  int status = 0;
  header_list headers;
  std::string body;
  header_list trailers = {};
  // Returns the first value, or an empty one. Any case. Go's Header.Get.
  std::string_view header(std::string_view name) const;
  // Returns all values. Go's Header.Values.
  std::vector<std::string_view> header_values(std::string_view name) const;
};

// A request. The caller's Host, User-Agent and Content-Length replace those of the client. An empty
// User-Agent sends none. Transfer-Encoding and Trailer are refused. Go's Request.
struct client_request {
  std::string method = "GET";
  std::string url;  // "http://user:password@host/": sent as Basic authorization
  header_list headers = {};
  std::string body = {};
  // If set: the body in parts, instead of `body`. Fills the buffer with at least 1 byte and returns
  // the number; 0 is the end. An error ends the request. Called by a fiber of the client, for which
  // the call waits also after an early answer or the end of ctx: it must not block for long. Not
  // called again after a redirect.
  std::function<result<std::size_t>(std::span<std::byte>)> body_parts = {};
  // The size of what body_parts gives. Unknown: sent in chunks.
  std::optional<std::uint64_t> body_size = {};
};

// An answer whose body is read as it comes. Move-only; one fiber at a time. The connection is kept
// for other requests after read() has returned errc::eof, and closed if this is destroyed before.
// Go's Response with its Body.
class response_stream {
 public:
  // Empty: read() returns errc::closed.
  response_stream() noexcept;
  response_stream(response_stream&&) noexcept;
  response_stream& operator=(response_stream&&) noexcept;
  ~response_stream();

  // Returns the status. Does not block.
  int status() const;
  // Returns all fields of the head. Does not block.
  const header_list& headers() const;
  // Returns the first value of a field; empty if there is none. Does not block. Go's Header.Get.
  std::string_view header(std::string_view name) const;
  // Blocks until a part of the body comes, and returns its size. errc::eof at its end. Bounded by
  // the context of the call that opened it. Go's Body.Read.
  result<std::size_t> read(std::span<std::byte> to);
  // Returns the fields after a chunked body; complete after read() has returned errc::eof. Go's
  // Trailer.
  const header_list& trailers() const;
  // Closes the connection unless the body has been read to its end. Does not block. Go's
  // Body.Close.
  void close();

  // For weft itself.
  explicit response_stream(std::unique_ptr<detail::incoming> it) noexcept;

 private:
  std::unique_ptr<detail::incoming> it_;
};

// Cookies by RFC 6265, without the list of public suffixes: a cookie goes only to the host that set
// it. A shared handle, for any number of clients and fibers. Bounded: 50 cookies for each host,
// 3,000 in all, 4 KiB each. Go's cookiejar.Jar.
class cookie_jar {
 public:
  cookie_jar();
  // Stores the cookie in a Set-Cookie field of an answer from `url`. Ignores a malformed field.
  // Go's SetCookies.
  void set(std::string_view url, std::string_view set_cookie);
  // Returns the value of the Cookie field for a request to `url`; empty if there is none. Go's
  // Cookies.
  std::string get(std::string_view url) const;

 private:
  friend detail::jar& detail::jar_of(const cookie_jar& j) noexcept;
  std::shared_ptr<detail::jar> jar_;
};

// Keeps connections for later requests. Copies share them. For any number of fibers and plain
// threads; plain threads block. The setters must be called before the first request. Go's
// http.Client.
//
// Proxies come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, also in lower case, as in Go: never for
// localhost and loopback addresses. Only "http://" is supported: a request for which they name a
// proxy by https or socks5 fails with std::errc::protocol_not_supported. An answer in gzip is
// decompressed if the caller did not set Accept-Encoding.
class client {
 public:
  client();
  // Send a request and block until the whole body has come. An answer is no error, whatever its
  // status. Follow redirects; Authorization, Cookie and Proxy-* fields stay with the scheme, host
  // and port of the URL. If the connection ends before an answer, the request is repeated once
  // if its method is idempotent or nothing was written. Go's Get, Post and Do.
  result<response> get(const context& ctx, std::string_view url) const;
  result<response> post(const context& ctx, std::string_view url, std::string_view type, std::string_view body) const;
  result<response> send(const context& ctx, std::string_view method, std::string_view url, const header_list& headers,
                        std::string_view body) const;
  result<response> send(const context& ctx, client_request r) const;
  // Blocks until the head has come. client_limits::max_body does not apply. Go's Do.
  result<response_stream> open(const context& ctx, client_request r) const;

  // Sets all limits. Go's Client.Timeout and the times of Transport.
  client& set_limits(const client_limits& l);
  // Sets client_limits::max_body alone, in bytes.
  client& set_max_body(std::uint64_t bytes);
  // Sets the roots, certificate and options for https://. Go's TLSClientConfig.
  client& set_tls(tls::config how);
  // Sets the proxy for all requests, "http://user:password@host:port", instead of the
  // environment's; empty: no proxy. Throws weft::panic for other text. Go's Transport.Proxy.
  client& set_proxy(std::string_view url);
  // Sets the jar that stores and sends cookies. Go's Client.Jar.
  client& set_cookies(cookie_jar jar);
  // False: no Accept-Encoding is sent and nothing is decompressed. Go's DisableCompression.
  client& set_compression(bool on);
  // Closes unused connections. Does not block. Go's CloseIdleConnections.
  void close_idle() const;

 private:
  std::shared_ptr<detail::client_state> state_;
};

// As client::get(), by one client for all callers. Go's http.Get.
result<response> get(const context& ctx, std::string_view url);

}  // namespace weft::http
