// What a timer readies is the next to run, as in Go: counted in turns, not in time.
#include <algorithm>
#include <atomic>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

void compute(duration d) {
  for (const auto until = now() + d; now() < until;) {
  }
}

}  // namespace

TEST_CASE("a fiber that slept stands before all that are runnable", "[sched][timer][order]") {
  hang_guard guard("a sleeper beside busy fibers does not wake");
  in_world(1, [] {
    constexpr int busy = 50;
    std::atomic<int> ended = 0;
    int most_between = 0;
    wait_group all;
    for (int i = 0; i < busy; ++i)
      all.go([&] {
        compute(2ms);
        ++ended;
      });
    while (ended < busy) {
      const int before = ended;
      sleep(1ms);
      most_between = std::max(most_between, ended - before);
    }
    all.wait();
    CHECK(most_between <= 10);  // 1 on a quiet machine; all of them if it stood behind them
  });
}

TEST_CASE("fibers that always sleep and wake do not starve the others", "[sched][timer]") {
  hang_guard guard("a fiber is starved by timers");
  in_world(GENERATE(1, 2), [] {
    std::atomic<bool> over = false;
    wait_group sleepers;
    for (int i = 0; i < 8; ++i)
      sleepers.go([&] {
        while (!over) {
          sleep(50us);
          compute(200us);  // the next is due by then
        }
      });
    int turns = 0;
    for (; turns < scaled(200); ++turns) yield();
    over = true;
    sleepers.wait();
    CHECK(turns == scaled(200));
  });
}

TEST_CASE("of timers that are due together the last is the next, the others stand behind the queue",
          "[sched][timer][order]") {
  hang_guard guard("the main fiber always loses its P");
  std::vector<int> order;
  // Else a timer was due before all were set, or the main fiber may have lost its P.
  bool as_planned = false;
  while (!as_planned)
    in_world(1, [&] {
      order.clear();
      wait_group all;
      const auto began = now();
      for (int i = 0; i < 3; ++i)
        all.go([&, i] {
          sleep(began + 2ms + std::chrono::microseconds(i) - now());
          order.push_back(i);
        });
      yield();  // they sleep
      const bool none_due = now() < began + 2ms;
      for (const int i : {10, 11}) all.go([&, i] { order.push_back(i); });
      compute(4ms);  // all three are due
      as_planned = none_due && now() - began <= 8ms;
      all.wait();
    });
  CHECK(order == std::vector{2, 10, 11, 0, 1});
}
