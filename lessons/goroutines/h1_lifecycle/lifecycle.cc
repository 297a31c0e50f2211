// H1: the homework. Servers, signals, one leaves, all leave.
#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct stopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Ends when ctx does, or throws what ends all the others.
void wait_for_signal(const context& ctx) {
  auto signals = make_chan<int>(1);
  os::signal_notify(signals, {SIGINT, SIGTERM, SIGQUIT});
  int number = 0;
  if (select(recv(signals, number), recv(ctx.done())) == 0) throw stopped(fmt::format("signal {}", number));
}

// A server in a group: its failure ends the group, the group's end shuts it down, within 2 s.
void add_server(errgroup& group, const context& ctx, const char* name, const lesson::server& s) {
  group.go([=] { throw stopped(fmt::format("{}: {}", name, s.listen_and_serve())); });
  group.go([=] {
    ctx.done().recv();
    const auto [limit, cancel] = with_timeout(background(), lesson::scaled(2s));
    const std::error_code err = s.shutdown(limit);
    println("{} is down: {}", name, err ? err.message() : "no error");
  });
}

void right() {
  auto [group, ctx] = errgroup::with_context(background());
  auto asked = make_chan<void>(1);
  http::mux app, debug;
  app.handle("/", [](auto& w, auto&) { w.write("Hello, homework\n"); });
  debug.handle("/shutdown", [=](auto& w, auto&) {
    (void)asked.try_send();
    w.write("stopping\n");
  });
  add_server(group, ctx, "app", lesson::server(lesson::app_address(), app));
  add_server(group, ctx, "debug", lesson::server(lesson::debug_address(), debug, "/shutdown"));
  group.go([ctx = ctx] { wait_for_signal(ctx); });
  group.go([ctx = ctx, asked] {
    if (select(recv(asked), recv(ctx.done())) == 0) throw stopped("asked to");
  });
  try {
    (void)group.wait();
  } catch (const stopped& why) {
    println("all have left, because of {}", why.what());
  }
}

const lesson::page page{"H1", "lifecycle", {{"right", "one leaves, all leave", right}}};

}  // namespace
