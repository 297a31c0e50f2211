// HTTP/1.1: a server, a mux and a client. Go's net/http.
//
//   weft::http::mux m;
//   m.handle("GET /hello/{name}", [](auto& w, const auto& r) { w.write("hello " + r.path_value("name")); });
//   weft::http::server s(":8080", m);
//   s.listen_and_serve();
//
// A handler runs in the fiber of its connection. An exception that leaves it becomes a 500 and is logged.
#pragma once
#include <weft/context.h>
#include <weft/net.h>
#include <weft/tls.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::http {

namespace impl {
struct exchange;
struct server_state;
struct client_state;
}  // namespace impl

// Valid while its handler runs. So are the views that it returns.
class request {
 public:
  std::string_view method() const;
  std::string_view target() const;              // as it was sent: "/a%20b?q=1"
  const std::string& path() const;              // decoded: "/a b"
  std::string query(std::string_view name) const;       // the first value, decoded; empty if there is none
  std::string_view header(std::string_view name) const; // any case; empty if there is none
  std::string_view body() const;                // all of it; the server's max_body bounds it
  std::string path_value(std::string_view name) const;  // what stood for {name} in the mux's pattern
  const net::endpoint& remote_addr() const;
  // Cancelled when the client has gone away, the server is closed or the handler has returned.
  const context& ctx() const;

  explicit request(impl::exchange& x) noexcept : x_(x) {}

 private:
  friend class mux;
  impl::exchange& x_;
};

class response_writer {
 public:
  // Before the first write; 200 if it is not called.
  response_writer& status(int code);
  response_writer& set_header(std::string_view name, std::string_view value);
  // A part of the body. What fits a buffer is sent at the end with its length, more goes out in chunks.
  std::error_code write(std::string_view text);
  // Sends what there is.
  std::error_code flush();

  explicit response_writer(impl::exchange& x) noexcept : x_(x) {}

 private:
  impl::exchange& x_;
};

using handler = std::function<void(response_writer&, const request&)>;

// Answers with an error and its words.
void error(response_writer& w, int code, std::string_view text);
std::string_view status_text(int code);

// Patterns as Go's since 1.22: "[METHOD ][HOST]/path". "{name}" is one segment, "{name...}" the rest, a path that ends
// in "/" everything below, "{$}" the end. The more particular pattern wins. GET takes HEAD too. Copyable; the copies
// share the patterns.
class mux {
 public:
  mux();
  // Throws weft::panic for a pattern that is none or is there already. Not while a server uses it.
  mux& handle(std::string_view pattern, handler h);
  void operator()(response_writer& w, const request& r) const;

 private:
  struct table;
  std::shared_ptr<table> table_;
};

struct limits {
  std::size_t max_header = 64 << 10;    // bytes: 431 beyond
  std::uint64_t max_body = 32 << 20;    // bytes: 413 beyond
  duration header_time = std::chrono::seconds(10);   // to send a request's head
  duration body_time = std::chrono::seconds(60);     // and its body
  duration write_time = std::chrono::seconds(60);    // to take each part of an answer
  duration idle_time = std::chrono::seconds(120);    // between requests
};

class server {
 public:
  server(std::string_view address, handler h, limits l = {});

  // Serves until shutdown or close, then returns errc::closed; or the error for which it cannot.
  std::error_code listen_and_serve();
  std::error_code serve(const net::listener& l);
  // The same over TLS. Without OpenSSL: std::errc::protocol_not_supported. A client has limits::header_time for the
  // handshake; one that does not manage it is logged.
  std::error_code listen_and_serve_tls(const tls::config& how);
  std::error_code serve(const tls::listener& l);
  // Takes no more connections, ends those that are idle, and returns when the requests under way have been answered,
  // or with ctx's error.
  std::error_code shutdown(const context& ctx);
  // Ends all connections at once.
  std::error_code close();

 private:
  std::shared_ptr<impl::server_state> state_;
};

struct response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view header(std::string_view name) const;  // any case
};

// Keeps connections for the next request. Copies share them. From any number of fibers.
class client {
 public:
  client();
  // http:// and https://. Follows up to ten redirects. An answer is no error, whatever its status.
  result<response> get(const context& ctx, std::string_view url) const;
  result<response> post(const context& ctx, std::string_view url, std::string_view type, std::string_view body) const;
  result<response> send(const context& ctx, std::string_view method, std::string_view url,
                        const std::vector<std::pair<std::string, std::string>>& headers, std::string_view body) const;
  // The largest body that is taken: std::errc::message_size beyond.
  client& set_max_body(std::uint64_t bytes);
  // For https://: whom to trust, or who to be. Before the first request.
  client& set_tls(tls::config how);
  void close_idle() const;

 private:
  std::shared_ptr<impl::client_state> state_;
};

// By one client for all.
result<response> get(const context& ctx, std::string_view url);

}  // namespace weft::http
