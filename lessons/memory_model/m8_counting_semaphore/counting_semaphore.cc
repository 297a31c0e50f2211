// M8: a channel with room for 3 is a semaphore of 3.
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

void right() {
  constexpr int jobs = 12;
  auto limit = make_chan<void>(3);
  std::atomic<int> running = 0, most = 0;
  wait_group all;
  for (int i = 0; i < jobs; ++i)
    all.go([&] {
      limit.send();  // waits while three are inside
      const int n = running.fetch_add(1) + 1;
      for (int seen = most.load(); n > seen && !most.compare_exchange_weak(seen, n);) {
      }
      sleep(lesson::scaled(20ms));
      running.fetch_sub(1);
      limit.recv();
    });
  all.wait();
  lesson::println("{} jobs, at most {} at a time", jobs, most.load());
}

const lesson::page page{"M8", "counting_semaphore", {{"right", "at most as many as there is room for", right}}};

}  // namespace
