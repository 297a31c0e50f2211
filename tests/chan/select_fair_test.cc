// The choice among ready cases is random.
#include <cmath>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;

namespace {

// More than this far from the mean is seen once in a million runs of n fair throws.
double six_nines(int n) { return 4.891676 / (2 * std::sqrt(n)); }

}  // namespace

TEST_CASE("two ready cases behind two that never are share evenly", "[select][SEL-06]") {
  hang_guard guard("a fair select stands still");
  in_world(GENERATE(1, 2, 4), [] {
    constexpr int trials = 10'000;
    auto c1 = make_chan<int>(trials + 1), c2 = make_chan<int>(trials + 1), never = make_chan<int>(),
         nor_this = make_chan<int>();
    for (int i = 0; i < trials + 1; ++i) {
      c1.send(1);
      c2.send(2);
    }
    int first = 0;
    for (int i = 0; i < trials; ++i) {
      const int chosen = select(recv(never), recv(nor_this), recv(c1), recv(c2));
      REQUIRE((chosen == 2 || chosen == 3));
      first += chosen == 2 ? 1 : 0;
    }
    CHECK(std::abs(first / double{trials} - 0.5) <= six_nines(trials));
  });
}

TEST_CASE("each of many ready cases gets its share, wherever it stands", "[select][SEL-06]") {
  in_world(1, [] {
    constexpr int cases = 7, trials = 7'000;
    std::vector<chan<void>> channels(cases);
    std::vector<select_case> list;
    for (auto& c : channels) {
      c = make_chan<void>();
      c.close();
      list.push_back(recv(c));
    }
    std::vector<int> seen(cases);
    for (int i = 0; i < trials; ++i) ++seen[select(std::span(list))];
    // 5.5 standard deviations of a share of 1/7
    const double sigma = std::sqrt(trials / 7.0 * 6 / 7);
    for (int s : seen) CHECK(std::abs(s - trials / 7.0) <= 5.5 * sigma);
  });
}

TEST_CASE("two sends on one channel are chosen at random", "[select][SEL-07]") {
  hang_guard guard("two sends on one channel stand still");
  in_world(GENERATE(1, 2, 4), [] {
    for (std::size_t cap : {0u, 100u}) {
      constexpr int n = 100;
      auto c = make_chan<int>(cap);
      std::vector<int> seen(2);
      auto counts = async([&] {
        for (int i = 0; i < n; ++i) {
          // The sender picks among its cases when there is a waiter or room; parked, it has
          // queued both, and the first of them is taken.
          if (cap == 0) yield();
          ++seen[static_cast<std::size_t>(c.recv().value())];
        }
      });
      for (int i = 0; i < n; ++i) {
        if (cap == 0) until_receiver(c);
        select(send(c, 0), send(c, 1));
      }
      counts.get();
      CHECK(seen[0] > 10);
      CHECK(seen[1] > 10);
    }
  });
}
