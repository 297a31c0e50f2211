// What the lessons that are servers need beside weft::http: the words that Go has for a server's end, and its
 // log.Fatal.
//
// The lessons are about who starts a server, who hears of its end and who waits for it, so the end is in words.
#pragma once
#include <weft/http.h>
#include <weft/weft.h>

#include <string>
#include <string_view>

namespace lesson {

// What Go's server says when it was shut down.
inline constexpr std::string_view server_closed = "http: Server closed";

// Copies are the same server.
class server {
 public:
  // `address`: "127.0.0.1:8001", ":8080".
  server(std::string address, weft::http::handler h);

  // As weft::http's. Returns why it ended: what went wrong, or server_closed, and that as soon as a shutdown begins:
  // requests may still be under way then.
  std::string listen_and_serve() const;
  // As weft::http's.
  std::error_code shutdown(const weft::context& ctx) const;

 private:
  std::string address_;
  weft::http::server server_;
};

// Go's log.Fatal: a line on stderr, and the process ends with status 1, here and now. Nobody's destructors run.
[[noreturn]] void log_fatal(std::string_view what);

// A page that lists the live fibers: what stands at /debug/fibers.
void show_fibers(weft::http::response_writer& w, const weft::http::request& r);

}  // namespace lesson
