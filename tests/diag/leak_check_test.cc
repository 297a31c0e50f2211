// Fibers that were left behind: found by tests, and at the end of run.
#include <weft/testing.h>

#include "tests/diag/scenario.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

[[gnu::noinline]] void forget_me(chan<void> until) {
  until.recv();
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void start_a_forgotten_one(chan<void> until) {
  go(fiber_options{.name = "forgotten"}, [until] { forget_me(until); });
  asm volatile("" ::: "memory");
}

}  // namespace

TEST_CASE("a leak check finds nothing where nothing is left", "[diag][leaks][DIAG-16]") {
  in_world(GENERATE(1, 4), [] {
    wait_group all;
    for (int i = 0; i < 10; ++i) all.go([] { yield(); });
    all.wait();
    CHECK(find_leaks() == "");
  });
}

TEST_CASE("a leak check lists id, state, stack and start of what is left", "[diag][leaks][DIAG-16]") {
  in_world(GENERATE(1, 4), [] {
    auto until = make_chan<void>();
    start_a_forgotten_one(until);
    const std::string report = find_leaks();
    CAPTURE(report);
    CHECK_THAT(report,
               Contains("1 fiber is left behind") && Contains("forgotten [chan receive]") && Contains("forget_me"));
    CHECK_THAT(report, Contains("started at") && Contains("start_a_forgotten_one"));
    CHECK_THAT(report, !Contains("fiber 1 ["));
    until.close();
  });
}

TEST_CASE("a leak check can be repeated and leaves what it finds alone", "[diag][leaks][DIAG-15]") {
  in_world(GENERATE(1, 4), [] {
    auto until = make_chan<void>();
    start_a_forgotten_one(until);
    const std::string first = find_leaks();
    const std::string again = find_leaks();
    CHECK(count(first, "forgotten [chan receive]") == 1);
    CHECK(first == again);
    until.close();  // it was only looked at, and continues
    CHECK(find_leaks() == "");
  });
}

TEST_CASE("fibers that are about to end are no leaks", "[diag][leaks][DIAG-17]") {
  in_world(GENERATE(1, 2), [] {
    for (int i = 0; i < 5; ++i) go([] { sleep(5ms); });
    CHECK(find_leaks() == "");
  });
}

TEST_CASE("a leak check overlooks what it is told to", "[diag][leaks][DIAG-18]") {
  in_world(2, [] {
    auto until = make_chan<void>();
    start_a_forgotten_one(until);
    const auto overlooked = [](ignore i) { return find_leaks({&i, 1}) == ""; };
    while (!overlooked(ignore::top_function("forget_me"))) yield();
    CHECK(overlooked(ignore::any_function("forget_me")));
    CHECK(overlooked(ignore::start_function("start_a_forgotten_one")));
    CHECK(overlooked(ignore::current()));
    CHECK_FALSE(overlooked(ignore::any_function("something else")));
    const ignore before = ignore::current();
    start_a_forgotten_one(until);
    CHECK(count(find_leaks({&before, 1}), "forgotten [") == 1);  // the new one
    until.close();
  });
}

TEST_CASE("a leak check made at the begin of a test speaks at its end", "[diag][leaks][DIAG-18]") {
  in_world(2, [] {
    auto until = make_chan<void>();
    std::string heard;
    start_a_forgotten_one(until);
    {
      const leak_check check([&](const std::string& report) { heard = report; });
    }
    CHECK(heard == "");
    {
      const leak_check check([&](const std::string& report) { heard = report; });
      start_a_forgotten_one(until);
    }
    CHECK(count(heard, "forgotten [") == 1);
    until.close();
  });
}

TEST_CASE("fibers of weft's own are no leaks", "[diag][leaks][DIAG-20]") {
  in_world(2, [] {
    auto until = make_chan<void>();
    go(fiber_options{.name = "weft: signals"}, [until] { until.recv(); });
    CHECK(find_leaks() == "");
    until.close();
  });
}

TEST_CASE("a leak check without a listener ends the process", "[diag][leaks][DIAG-16]") {
  const outcome o = scenario("leak-check-ends-the-process");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("forgotten [chan receive]") && Contains("wait_at_the_gate"));
}

TEST_CASE("the list of leaks at the end has parked fibers and those never run", "[diag][leaks]") {
  const outcome o = scenario("leaks-of-all-kinds");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK_THAT(o.err, Contains("4 fibers were alive") && Contains("1 parked started at") && Contains("[chan receive]"));
  CHECK_THAT(o.err, Contains("3 never run started at") && Contains("not run yet"));
}

TEST_CASE("the list of leaks at the end has fibers inside blocking calls", "[diag][leaks]") {
  const outcome o = scenario("leaks-in-blocking-call");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK_THAT(o.err, Contains("outside started at") && Contains("[blocking call]"));
}
