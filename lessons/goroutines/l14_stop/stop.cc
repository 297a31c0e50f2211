// L14, L15: errors return to the fiber that started the servers, and the end of one ends all.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// no: serve() returns as soon as the server is closed. yes: it returns after the last request is
// answered.
enum class wait_for_requests { no, yes };

struct site {
  std::string address, page;
  http::handler handler;
};

std::string serve(const site& at, const chan<void>& stop, wait_for_requests w) {
  const lesson::server s(at.address, at.handler, at.page);
  auto drained = make_chan<void>();
  go([=] {
    stop.recv();  // closed also after the server has failed by itself
    (void)s.shutdown(background());
    drained.close();
  });
  const std::string err = s.listen_and_serve();
  if (err == lesson::server_closed && w == wait_for_requests::yes) drained.recv();
  return err;
}

http::mux app() {
  http::mux mux;
  mux.handle("/", [](auto& w, auto&) { w.write("Hello, QCon!\n"); });
  mux.handle("/slow", [](auto& w, auto&) {
    sleep(lesson::scaled(600ms));
    w.write("slow, but whole\n");
  });
  return mux;
}

// The page /shutdown of the debug server ends the program.
http::mux debug(const chan<std::string>& done) {
  http::mux mux;
  mux.handle("/debug/fibers", lesson::show_fibers);
  mux.handle("/shutdown",
             [=](auto& w, auto&) { w.write(done.try_send("shutdown was requested") ? "stopping\n" : "?\n"); });
  return mux;
}

void run_both(bool stops, wait_for_requests w) {
  constexpr int servers = 2;
  auto done = make_chan<std::string>(servers + 1);  // room for all, so that no sender waits
  auto stop = make_chan<void>();
  go({.name = "debug"}, [=] { done.send(serve({lesson::debug_address(), "/debug/fibers", debug(done)}, stop, w)); });
  go({.name = "app"}, [=] { done.send(serve({lesson::app_address("0.0.0.0"), "/", app()}, stop, w)); });
  bool stopped = false;
  for (int ended = 0; ended < servers;) {
    const std::string err = *done.recv();
    println("error: {}", err);
    if (err != "shutdown was requested") ++ended;
    if (stops && !stopped) {
      stopped = true;
      stop.close();
    }
  }
  println("both have ended");
}

void wrong() { run_both(false, wait_for_requests::no); }
void wrong_early() { run_both(true, wait_for_requests::no); }
void right() { run_both(true, wait_for_requests::yes); }

const lesson::page page{
    "L14",
    "stop",
    {{"wrong", "the errors are returned, and the other server runs on", wrong},
     {"wrong-early", "one end ends all, also a request that is under way", wrong_early, {.end = lesson::at_end::leave}},
     {"right", "one end ends all, when the last request is answered", right}}};

}  // namespace
