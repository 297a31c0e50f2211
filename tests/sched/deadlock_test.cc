// The verdict: every fiber waits, and nothing is left that could wake one.
#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scale.h"

using namespace weft::testing;
using Catch::Matchers::Contains;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("sched_scenarios"), name}); }

const char* const verdict = "fatal error: all fibers are asleep - deadlock!";

}  // namespace

TEST_CASE("a main fiber blocked for ever is a deadlock", "[sched][deadlock][DL-01][DL-28]") {
  auto name = GENERATE(as<std::string>(), "main-blocks", "main-blocks-on-one-p", "main-blocks-on-nil",
                       "main-selects-nothing", "main-blocks-in-second-world");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains(verdict));
}

TEST_CASE("a main fiber blocked while locked to its thread is a deadlock", "[sched][deadlock][DL-03]") {
  outcome o = scenario("locked-main-blocks");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains(verdict));
}

TEST_CASE("a deadlock lists every fiber and what it waits for", "[sched][deadlock][DL-01]") {
  outcome o = scenario("all-block");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains(verdict) && Contains("chan receive") && Contains("mutex"));
  std::size_t readers = 0;
  for (std::size_t at = 0; (at = o.err.find("stuck reader", at)) != std::string::npos; ++at) ++readers;
  CHECK(readers >= 5);
}

TEST_CASE("a deadlock is found after any amount of work", "[sched][deadlock][DL-01]") {
  for (int i = 0; i < scaled(40); ++i) {
    outcome o = scenario("all-block-after-work");
    CAPTURE(i, o.err, o.timed_out);
    REQUIRE(o.status == 2);
    REQUIRE_THAT(o.err, Contains(verdict));
  }
}

TEST_CASE("a sleeper keeps the verdict back until it sleeps no more", "[sched][deadlock][DL-07]") {
  outcome o = scenario("blocks-after-sleeper");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out == "slept\n");
  CHECK_THAT(o.err, Contains(verdict));
}

TEST_CASE("a timer that was stopped does not keep the verdict back", "[sched][deadlock][DL-07]") {
  outcome o = scenario("blocks-after-timer-stopped");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out == "stopped\n");
  CHECK_THAT(o.err, Contains(verdict));
}

TEST_CASE("a blocking call keeps the verdict back until it returns", "[sched][deadlock][DL-08]") {
  outcome o = scenario("blocks-after-blocking-call");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out == "called\n");
  CHECK_THAT(o.err, Contains(verdict));
}

TEST_CASE("a main fiber that exits alone is a deadlock of its own kind", "[sched][deadlock][DL-05]") {
  outcome o = scenario("main-exits");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("fatal error: ") && Contains("goexit") && Contains("deadlock!"));
}

TEST_CASE("a main fiber that exits leaves the others running", "[sched][deadlock][DL-06]") {
  outcome o = scenario("main-exits-first");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.out == "worked on\n");
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("goexit") && Contains("deadlock!"));
}

TEST_CASE("after the main fiber's exit, blocked fibers are a deadlock", "[sched][deadlock][DL-05]") {
  outcome o = scenario("main-exits-others-block");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("fatal error: ") && Contains("deadlock!"));
}

TEST_CASE("whoever can still be woken is not dead", "[sched][deadlock][DL-07][DL-08][DL-10]") {
  auto name = GENERATE(as<std::string>(), "sleeper-wakes-main", "timer-wakes-main", "function-after-delay-wakes-main",
                       "blocking-call-wakes-main", "plain-thread-wakes-main", "plain-thread-that-was-quiet-wakes-main");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.err.empty());
}
