// L2: do the work yourself.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;

struct deferred {
  ~deferred() { lesson::println("main's deferred call"); }
};

void right() {
  const deferred at_end;
  http::mux mux;
  mux.handle("/", [](auto& w, auto&) { w.write("Hello, GopherCon SG\n"); });
  mux.handle("/fibers", [](auto& w, auto&) { w.write(fmt::format("{}\n", num_fibers())); });
  const std::string err = lesson::server(lesson::app_address(), mux).listen_and_serve();
  if (!err.empty()) lesson::log_fatal(err);
}

const lesson::page page{"L2", "do_it_yourself", {{"right", "main listens itself", right}}};

}  // namespace
