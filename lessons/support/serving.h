// Go's words for the end of a server, and its log.Fatal, for the lessons that are servers.
//
// The lessons are about which fiber starts a server, gets its error and waits for it. So the error
// is a text.
#pragma once
#include <weft/http.h>
#include <weft/weft.h>

#include <string>
#include <string_view>

namespace lesson {

// Go's error of a server that was shut down.
inline constexpr std::string_view server_closed = "http: Server closed";

// Copies are the same server.
class server {
 public:
  // `address`: "127.0.0.1:8001", ":8080". `page` is the path that a message on stderr shows to the
  // user.
  server(std::string address, weft::http::handler h, std::string page = "/");

  // As weft::http's; says on stderr where it listens. Returns why it ended: the error, or
  // server_closed as soon as a shutdown begins, when requests may still be under way.
  std::string listen_and_serve() const;
  // As weft::http's.
  std::error_code shutdown(const weft::context& ctx) const;

 private:
  std::string address_, page_;
  weft::http::server server_;
};

// Go's log.Fatal: writes a line to stderr and ends the process with status 1 immediately. No
// destructors run.
[[noreturn]] void log_fatal(std::string_view what);

// The page /debug/fibers, which lists the live fibers.
void show_fibers(weft::http::response_writer& w, const weft::http::request& r);

}  // namespace lesson
