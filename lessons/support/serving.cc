#include "lessons/support/serving.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace lesson {

using namespace weft;

namespace {

// Where the server listens, what to type and how to stop it. On stderr: it is not the program's own
// output.
void announce(const net::listener& l, std::string_view page) {
  fmt::print(stderr, "lesson: listens on {}. In another terminal: curl 'http://localhost:{}{}'. Ctrl-C stops it.\n",
             l.addr().to_string(), l.addr().port(), page);
}

}  // namespace

server::server(std::string address, http::handler h, std::string page)
    : address_(std::move(address)), page_(std::move(page)), server_(address_, std::move(h)) {}

std::string server::listen_and_serve() const {
  const auto [l, err] = net::listen("tcp", address_);
  if (err) {
    // As Go words it: "listen tcp :8080: bind: address already in use".
    std::string why = err.message();
    why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
    return fmt::format("listen tcp {}: bind: {}", address_, why);
  }
  announce(l, page_);
  const std::error_code end = http::server(server_).serve(l);
  return end == errc::closed ? std::string(server_closed) : end.message();
}

std::error_code server::shutdown(const context& ctx) const { return http::server(server_).shutdown(ctx); }

void log_fatal(std::string_view what) {
  const std::string line = fmt::format("{}\n", what);
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  _exit(1);
}

void show_fibers(http::response_writer& w, const http::request&) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* memory = open_memstream(&text, &size);
  dump_fibers(memory);
  std::fclose(memory);
  w.write({text, size});
  std::free(text);
}

}  // namespace lesson
