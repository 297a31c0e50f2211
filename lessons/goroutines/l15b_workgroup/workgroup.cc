// L15b: done and stop as a thing of its own.
#include <fmt/ranges.h>

#include <functional>

#include "lessons/support/page.h"
#include "lessons/support/serving.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Functions that run together: each gets the stop channel, the first that returns closes it, and
// run() waits for all.
class work_group {
 public:
  using fn = std::function<std::string(const recv_chan<void>& stop)>;

  void add(fn f) { all_.push_back(std::move(f)); }

  // All errors, in the order in which they came.
  std::vector<std::string> run() const {
    auto stop = make_chan<void>();
    auto done = make_chan<std::string>(all_.size());
    for (const fn& f : all_) go([=] { done.send(f(stop)); });
    std::vector<std::string> errors;
    for (std::size_t ended = 0; ended < all_.size(); ++ended) {
      std::string err = *done.recv();
      if (ended == 0) stop.close();
      if (!err.empty()) errors.push_back(std::move(err));
    }
    return errors;
  }

 private:
  std::vector<fn> all_;
};

// For the group: a server with its shutdown, and the end of a context.
work_group::fn server(lesson::server s) {
  return [=](const recv_chan<void>& stop) {
    auto down = make_chan<void>();
    go([=] {
      stop.recv();
      println("about to shut down");
      const std::error_code err = s.shutdown(background());
      println("shutdown: {}", err ? err.message() : "no error");
      down.close();
    });
    println("listening");
    std::string err = s.listen_and_serve();
    down.recv();
    println("stopped with: {}", err);
    return err == lesson::server_closed ? "" : err;
  };
}
work_group::fn until(const context& ctx) {
  return [=](const recv_chan<void>& stop) {
    return select(recv(ctx.done()), recv(stop)) == 0 ? ctx.err().message() : std::string();
  };
}

void order() {
  work_group group;
  group.add([](const recv_chan<void>&) {
    println("one");
    return "three";
  });
  group.add([](const recv_chan<void>& stop) {
    stop.recv();
    println("two");
    return "four";
  });
  for (const std::string& err : group.run()) println("{}", err);
}

void http() {
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(100ms));
  work_group group;
  group.add(server(lesson::server("127.0.0.1:0", http::mux())));
  group.add(until(ctx));
  println("group: {}", group.run());
}

void empty() { println("an empty group: {}", work_group().run()); }

const lesson::page page{"L15b",
                        "workgroup",
                        {{"order", "two functions, two errors", order},
                         {"http", "a server, and a context of 100 ms", http},
                         {"empty", "no fiber to wait for", empty}}};

}  // namespace
