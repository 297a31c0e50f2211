// L11: a function for each server, and the caller decides which one gets a fiber.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using lesson::server;

void serve_app() {
  http::mux mux;
  mux.handle("/", [](auto& w, auto&) { w.write("Hello, QCon!\n"); });
  server(lesson::app_address("0.0.0.0"), mux).listen_and_serve();
}

void serve_debug() {
  http::mux mux;
  mux.handle("/debug/fibers", lesson::show_fibers);
  server(lesson::debug_address(), mux, "/debug/fibers").listen_and_serve();
}

void wrong() {
  go({.name = "debug"}, serve_debug);
  serve_app();
}

const lesson::page page{
    "L11",
    "serve_app",
    {{"wrong", "better, but an error of the debug server is lost", wrong, {.end = lesson::at_end::leave}}}};

}  // namespace
