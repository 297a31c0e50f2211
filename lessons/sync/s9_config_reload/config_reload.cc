// S9: a configuration that is reloaded while workers serve requests.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct config {
  int version;
  int copy_of_version;  // stands for all that must fit together
};
config load_config(int version) { return {version, version}; }

void right() {
  atomic_value<config> current(load_config(1));
  auto requests = make_chan<int>();
  std::atomic<int> served{0}, torn{0}, outdated{0};
  std::atomic<int> newest{1};

  wait_group workers;
  for (int i = 0; i < 10; ++i)
    workers.go([&, requests] {
      for (int newest_at_arrival : requests) {
        const auto c = current.load();  // one version for all of the request
        yield();
        torn += c->version != c->copy_of_version;
        outdated += c->version < newest_at_arrival;
        ++served;
      }
    });
  wait_group reloader;
  reloader.go([&] {
    for (int version = 2; version <= 5; ++version) {
      sleep(lesson::scaled(20ms));  // 10 s in the original
      current.store(load_config(version));
      newest.store(version);
    }
  });
  int sent = 0;
  for (; newest.load() < 5 || sent < 1000; ++sent) requests.send(newest.load());
  requests.close();
  workers.wait();
  reloader.wait();
  println("{}: {} torn, {} with a version older than when they came",
          sent == served.load() ? "all served" : "some lost", torn.load(), outdated.load());
}

const lesson::page page{"S9", "config_reload", {{"right", "ten workers, each request with one version", right}}};

}  // namespace
