#include "sched/steal_order.h"

#include <numeric>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

using weft::detail::steal_order;

TEST_CASE("a thief visits every P exactly once, whatever the start and the step", "[sched][steal][GO-20]") {
  for (std::uint32_t count = 1; count <= 64; ++count) {
    for (std::uint64_t start = 0; start < count; ++start) {
      for (std::uint64_t step = 0; step < count; ++step) {
        std::vector<int> visits(count, 0);
        std::uint32_t steps = 0;
        for (steal_order o(count, step << 32 | start); !o.done() && steps <= count; o.next(), ++steps)
          ++visits.at(o.position());
        if (steps != count || visits != std::vector<int>(count, 1)) FAIL("count " << count << ", start " << start);
      }
    }
  }
}

TEST_CASE("every start and every coprime step occurs", "[sched][steal][GO-20]") {
  for (std::uint32_t count = 3; count <= 64; ++count) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (std::uint64_t start = 0; start < count; ++start) {
      for (std::uint64_t step = 0; step < count; ++step) {
        steal_order o(count, step << 32 | start);
        std::uint32_t first = o.position();
        o.next();
        pairs.emplace(first, (o.position() + count - first) % count);
      }
    }
    std::uint32_t coprime = 0;
    for (std::uint32_t s = 1; s < count; ++s) coprime += std::gcd(s, count) == 1 ? 1u : 0u;
    if (pairs.size() != std::size_t{count} * coprime) FAIL("count " << count << ": " << pairs.size() << " orders");
  }
}

TEST_CASE("random numbers make every P the first one visited", "[sched][steal][GO-20]") {
  std::mt19937_64 random(7);
  std::vector<int> first(16, 0);
  for (int i = 0; i < 16'000; ++i) ++first[steal_order(16, random()).position()];
  for (int n : first) CHECK(n > 700);
}
