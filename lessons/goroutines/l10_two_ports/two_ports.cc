// L10: two servers, one of them fire-and-forget.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using lesson::server;

void wrong() {
  http::mux app, debug;
  app.handle("/", [](auto& w, auto&) { w.write("Hello, QCon!\n"); });
  debug.handle("/debug/fibers", lesson::show_fibers);
  go({.name = "debug"}, [=] { server(lesson::debug_address(), debug, "/debug/fibers").listen_and_serve(); });  // debug
  server(lesson::app_address("0.0.0.0"), app).listen_and_serve();  // app traffic
}

const lesson::page page{"L10", "two_ports", {{"wrong", "an error of the debug server is lost", wrong}}};

}  // namespace
