// WEFT_SIM: a program under simulation without a changed line.
#include <weft/sim.h>

#include "tests/support/child.h"
#include "tests/support/environment.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;
using Catch::Matchers::Contains;

namespace {

outcome under(const std::string& words, const std::string& program) {
  return run_child({"/usr/bin/env", "WEFT_SIM=" + words, beside_this_program("sim_scenarios"), program});
}

}  // namespace

TEST_CASE("a program under WEFT_SIM shows its output once", "[sim][environment]") {
  for (const char* words : {"seed=7", "seed=7,how=pct,depth=2", "explore=50", "explore=50,how=pos,leaks=0"}) {
    const outcome o = under(words, "passes");
    CAPTURE(words, o.out, o.err);
    CHECK(o.status == 5);
    CHECK(o.out == "hello\n");
  }
}

TEST_CASE("a failure under WEFT_SIM shows one schedule's output, the story and a replay", "[sim][environment]") {
  const outcome o = under("explore=1000", "loses-an-update");
  CAPTURE(o.out, o.err);
  CHECK(o.status == 3);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Contains("failed: both count"));
  const auto at = o.err.find("replay: ");
  REQUIRE(at != std::string::npos);
  const std::string text = o.err.substr(at + 8, o.err.find('\n', at) - at - 8);
  const outcome again = under("replay=" + text, "loses-an-update");
  CAPTURE(again.out, again.err);
  CHECK(again.status == 3);
  CHECK(again.out == "hello\n");
  CHECK_THAT(again.err, Contains("failed: both count"));
}

TEST_CASE("words that WEFT_SIM does not know end the program with status 2", "[sim][environment]") {
  for (const char* words : {"seed", "seed=x", "depth=-1", "steps=0", "replay=junk", "replay=", "leaks=7", "html=",
                            "explore=0", "how=often", "early_timers=yes", "seed=1,,", "replay=w9-1-0-00000000"}) {
    const outcome o = under(words, "passes");
    CAPTURE(words, o.status, o.out, o.err);
    CHECK(o.status == 2);
    CHECK(o.out.empty());
    CHECK_THAT(o.err, Contains("WEFT_SIM"));
  }
}

TEST_CASE("the size of stacks that a program asks for is that under WEFT_SIM", "[sim][environment]") {
  const outcome o = under("seed=1", "needs-stack");
  CAPTURE(o.out, o.err);
  CHECK(o.status == 0);
}

TEST_CASE("a seed in the environment is a number of 1 or more", "[sim][environment]") {
  for (const char* bad : {"0", "-5", "x", "1x", "99999999999999999999"}) {
    const variable seed("WEFT_SIM_SEED", bad);
    CHECK_THROWS_WITH(sim::explore({.schedules = 1}, [] {}), Contains("WEFT_SIM_SEED"));
  }
  const variable seed("WEFT_SIM_SEED", "7");
  CHECK_NOTHROW(sim::explore({.schedules = 1}, [] {}));
}
