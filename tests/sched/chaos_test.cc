// Chaos mode: what is allowed but unlikely happens.
#include "sched/chaos.h"

#include <atomic>
#include <set>
#include <string>

#include "tests/support/environment.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;

namespace {

// The orders in which eight fibers run that one has started in a row.
std::set<std::string> orders(int rounds) {
  std::set<std::string> seen;
  in_world(1, [&] {
    for (int round = 0; round < rounds; ++round) {
      std::string order(8, ' ');
      std::atomic<std::size_t> next = 0;  // one P, and still two may run at the same time: it is taken and given away
      wait_group all;
      for (char c = 'a'; c < 'i'; ++c) all.go([&, c] { order[next++] = c; });
      all.wait();
      seen.insert(order);
    }
  });
  return seen;
}

}  // namespace

TEST_CASE("in chaos mode fibers run in another order than they were started in", "[sched][chaos][GO-48][order]") {
  hang_guard guard("chaos");
  const auto unlikely = [] {
    const variable asks("WEFT_DEBUG", "chaos");
    return orders(200);
  }();
  for (const std::string& order : unlikely) CHECK(std::set<char>(order.begin(), order.end()).size() == 8);
  CHECK(unlikely.size() > 20);
  CHECK(orders(200).size() < unlikely.size());
}
