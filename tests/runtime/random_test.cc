#include "runtime/random.h"

#include <array>
#include <set>

#include "tests/support/catch.h"

using namespace weft::detail;

TEST_CASE("a number below n is below n, for every n", "[runtime][random]") {
  random_source r(1);
  for (std::uint32_t n : {1u, 2u, 3u, 7u, 61u, 1024u, 65'537u, 0x7fffffffu, 0x80000000u, 0xffffffffu})
    for (int i = 0; i < 2000; ++i) REQUIRE(r.below(n) < n);
  for (int i = 0; i < 100; ++i) REQUIRE(r.below(1) == 0);
}

TEST_CASE("every number below n comes up about equally often", "[runtime][random]") {
  random_source r(2);  // seeded: the same counts on every run
  std::array<int, 10> hits{};
  constexpr int each = 10'000;
  for (int i = 0; i < 10 * each; ++i) ++hits[r.below(10)];
  for (int h : hits) {
    CHECK(h > each - 500);  // five standard deviations
    CHECK(h < each + 500);
  }
}

TEST_CASE("large ranges are used to their ends", "[runtime][random]") {
  random_source r(3);
  std::uint32_t least = UINT32_MAX, most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t v = r.below(UINT32_MAX);
    least = std::min(least, v);
    most = std::max(most, v);
  }
  CHECK(least < UINT32_MAX / 1000);
  CHECK(most > UINT32_MAX - UINT32_MAX / 1000);
}

TEST_CASE("the same seed gives the same numbers, another seed gives others", "[runtime][random]") {
  random_source a(42), b(42), c(43);
  int equal_to_c = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t v = a.next();
    REQUIRE(v == b.next());
    equal_to_c += v == c.next() ? 1 : 0;
  }
  CHECK(equal_to_c == 0);
}

TEST_CASE("seeds and generators without one are different every time", "[runtime][random]") {
  std::set<std::uint64_t> seeds, firsts;
  for (int i = 0; i < 1000; ++i) {
    seeds.insert(random_seed());
    firsts.insert(random_source().next());
  }
  CHECK(seeds.size() == 1000);
  CHECK(firsts.size() == 1000);
}
