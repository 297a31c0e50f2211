// As much of an HTTP server as the lessons need: GET, a response of one piece, a connection for each request.
//
// Its shape is Go's net/http, for the lessons are about who starts a server, who hears of its end and who waits for
// it, and about nothing in the protocol.
#pragma once
#include <weft/weft.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace small_http {

struct request {
  std::string method, path, remote_ip;
  std::map<std::string, std::string> query;
  weft::context ctx;  // over when the handler has returned
};

class response {
 public:
  void status(int code) { status_ = code; }
  void write(std::string_view text) { body_ += text; }

 private:
  friend struct server_state;
  int status_ = 200;
  std::string body_;
};

using handler = std::function<void(response&, const request&)>;

// Handlers by path. A path that ends in "/" stands for all below it; else 404.
class mux {
 public:
  mux& handle(std::string path, handler h);
  void operator()(response& w, const request& r) const;

 private:
  std::map<std::string, handler> handlers_;
};

// What Go's server says when it was shut down.
inline constexpr std::string_view server_closed = "http: Server closed";

struct server_state;

// Copies are the same server.
class server {
 public:
  // `address`: "127.0.0.1:8001", ":8080".
  server(std::string address, handler h);

  // Serves until shutdown; each connection in a fiber of its own. Returns why it ended, in words: what went wrong, or
  // server_closed, and that as soon as a shutdown begins, as Go's does: requests may still be under way then.
  std::string listen_and_serve() const;
  // No new connections. Waits until the requests under way are answered, but not longer than ctx.
  std::error_code shutdown(const weft::context& ctx) const;

 private:
  std::shared_ptr<server_state> s_;
};

// GET http://ADDRESS/PATH; the body, or "" and the error.
weft::result<std::string> get(const weft::context& ctx, const std::string& address, const std::string& path);

// Go's log.Fatal: a line on stderr, and the process ends with status 1, here and now. Nobody's destructors run.
[[noreturn]] void log_fatal(std::string_view what);

// A page that lists the live fibers: what stands at /debug/fibers.
void show_fibers(response& w, const request& r);

}  // namespace small_http
