// L1: a server in a fiber of its own, and a main fiber with nothing to do.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using lesson::log_fatal;

// What main has to do at its end, if it comes to that.
struct deferred {
  ~deferred() { lesson::println("main's deferred call"); }
};

void start_server() {
  http::mux mux;
  mux.handle("/", [](auto& w, auto&) { w.write("Hello, GopherCon SG\n"); });
  go({.name = "server"}, [=] { log_fatal(lesson::server(lesson::app_address(), mux).listen_and_serve()); });
}

void spin() {
  const deferred at_end;
  start_server();
  for (volatile bool for_ever = true; for_ever;) continue;
}

void spin_and_yield() {
  const deferred at_end;
  start_server();
  for (volatile bool for_ever = true; for_ever;) yield();
}

void wrong() {
  const deferred at_end;
  start_server();
  select();
}

const lesson::page page{"L1",
                        "server",
                        {{"wrong", "main waits forever, and no error reaches it", wrong},
                         {"spin", "for {}: a CPU for nothing", spin},
                         {"spin-and-yield", "for { runtime.Gosched() }: a CPU for nothing, politely", spin_and_yield}}};

}  // namespace
