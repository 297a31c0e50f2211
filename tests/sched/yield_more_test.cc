// Where a fiber that yields goes, and who learns of it.
#include <atomic>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("on one P fibers that yield take strict turns, also while timers are armed", "[yield][order][GO-46]") {
  in_world(1, [] {
    timer far(1h);
    constexpr int fibers = 3, rounds = 500;
    std::vector<int> order;
    wait_group all;
    for (int id = 0; id < fibers; ++id)
      all.go([&order, id] {
        for (int i = 0; i < rounds; ++i) {
          order.push_back(id);
          yield();
        }
      });
    all.wait();
    REQUIRE(order.size() == fibers * rounds);
    int out_of_turn = 0;
    for (std::size_t i = fibers; i < order.size(); ++i) out_of_turn += order[i] != order[i - fibers];
    CHECK(out_of_turn == 0);
  });
}

TEST_CASE("a fiber that yields to one that computes goes on elsewhere", "[yield][GO-43]") {
  const hang_guard guard("a yielded fiber beside an idle P");
  in_world(2, [] {
    for (int i = 0; i < 200; ++i) {
      std::atomic<bool> went_on{false};
      // The newcomer never calls weft while it waits, so only another P can let the yielder
      // continue.
      wait_group newcomer;
      newcomer.go([&went_on] {
        while (!went_on.load()) {
        }
      });
      yield();
      went_on.store(true);
      newcomer.wait();
    }
  });
}
