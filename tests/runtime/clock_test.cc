#include "runtime/clock.h"

#include <chrono>
#include <thread>

#include "tests/support/catch.h"

using namespace weft::detail;
using namespace std::chrono_literals;

TEST_CASE("a deadline of nothing or less is now", "[runtime][clock][TM-03]") {
  for (weft::duration d : {weft::duration(0), weft::duration(-1), weft::duration(-1h), weft::duration::min()}) {
    const std::int64_t before = now_ns(), at = deadline_after(d), after = now_ns();
    CHECK(at >= before);
    CHECK(at <= after);
  }
}

TEST_CASE("a deadline is as far from now as it was told", "[runtime][clock]") {
  const std::int64_t before = now_ns(), at = deadline_after(5s), after = now_ns();
  CHECK(at >= before + 5'000'000'000);
  CHECK(at <= after + 5'000'000'000);
}

TEST_CASE("a deadline too far for the clock is its last instant, which is not never", "[runtime][clock][TM-03]") {
  CHECK(deadline_after(weft::duration::max()) == never - 1);
  CHECK(deadline_after(weft::duration::max() - 1ns) == never - 1);
  CHECK(deadline_after(weft::duration(never - now_ns())) == never - 1);
  const std::int64_t far = never - 1 - now_ns() - 60'000'000'000;  // a minute before the end
  CHECK(deadline_after(weft::duration(far)) < never - 1);
  CHECK(deadline_after(weft::duration(far)) > far);
}

TEST_CASE("the clock never goes back and the public one is the same", "[runtime][clock]") {
  std::int64_t last = now_ns();
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t t = i % 2 == 0 ? now_ns() : weft::now().time_since_epoch().count();
    REQUIRE(t >= last);
    last = t;
  }
  static_assert(weft::clock::is_steady);
}

TEST_CASE("the counter of ticks runs while the clock does", "[runtime][clock]") {
  const std::uint64_t c0 = ticks();
  std::this_thread::sleep_for(10ms);
  CHECK(ticks() > c0);
}
