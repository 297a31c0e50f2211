// L14, L15: errors come back to the one who started, and one end ends all.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Whether serve() returns as soon as the server says that it is closed, or when its last request is answered.
enum class wait_for_requests { no, yes };

std::string serve(const std::string& address, const http::handler& h, const chan<void>& stop, wait_for_requests w) {
  const lesson::server s(address, h);
  auto drained = make_chan<void>();
  go([=] {
    stop.recv();  // closed sooner or later, also if the server has failed by itself
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

// The debug server's page can ask for the end, as a third party that is no server.
http::mux debug(const chan<std::string>& done) {
  http::mux mux;
  mux.handle("/debug/fibers", lesson::show_fibers);
  mux.handle("/shutdown",
             [=](auto& w, auto&) { w.write(done.try_send("shutdown was asked for") ? "stopping\n" : "?\n"); });
  return mux;
}

void run_both(bool stops, wait_for_requests w) {
  constexpr int servers = 2;
  auto done = make_chan<std::string>(servers + 1);  // room for all, so that nobody waits to report
  auto stop = make_chan<void>();
  go({.name = "debug"}, [=] { done.send(serve(lesson::debug_address(), debug(done), stop, w)); });
  go({.name = "app"}, [=] { done.send(serve(lesson::app_address("0.0.0.0"), app(), stop, w)); });
  bool stopped = false;
  for (int ended = 0; ended < servers;) {
    const std::string err = *done.recv();
    println("error: {}", err);
    if (err != "shutdown was asked for") ++ended;
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
    {{"wrong", "the errors come back, and nobody stops the other", wrong},
     {"wrong-early", "one end ends all, also a request that is under way", wrong_early, {.end = lesson::at_end::leave}},
     {"right", "one end ends all, when the last request is answered", right}}};

}  // namespace
