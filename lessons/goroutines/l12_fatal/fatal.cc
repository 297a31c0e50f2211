// L12, L13: if one fails, everything must end. So each ends everything?
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using lesson::log_fatal;
using lesson::server;

void serve_app() {
  http::mux mux;
  mux.handle("/", [](auto& w, auto&) { w.write("Hello, QCon!\n"); });
  if (const std::string err = server(lesson::app_address("0.0.0.0"), mux).listen_and_serve(); !err.empty())
    log_fatal(err);
}

void serve_debug() {
  http::mux mux;
  mux.handle("/debug/fibers", lesson::show_fibers);
  if (const std::string err = server(lesson::debug_address(), mux, "/debug/fibers").listen_and_serve(); !err.empty())
    log_fatal(err);
}

// A server whose end is no error: it just returns.
void serve_nothing() { lesson::println("debug has ended without an error"); }

// Something that another fiber does at its end.
void flush_at_the_end(const chan<void>& never) {
  struct flush {
    ~flush() { lesson::println("flushed"); }
  } at_end;
  never.recv();
}

void wrong() {
  go({.name = "flusher"}, [] { flush_at_the_end(make_chan<void>()); });
  go({.name = "debug"}, serve_debug);
  go({.name = "app"}, serve_app);
  select();
}

void wrong_nil() {
  go({.name = "debug"}, serve_nothing);
  go({.name = "app"}, serve_app);
  select();
}

const lesson::page page{"L12",
                        "fatal",
                        {{"wrong", "a server that fails ends the process", wrong},
                         {"wrong-nil", "a server that ends without an error ends alone", wrong_nil}}};

}  // namespace
