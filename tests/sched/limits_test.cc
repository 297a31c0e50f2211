// What bounds a world from outside: variables, the thread limit, signals.
#include <signal.h>
#include <stdlib.h>

#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/environment.h"
#include "tests/support/scale.h"

using namespace weft::testing;
using Catch::Matchers::Contains;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("limit_scenarios"), name}); }

}  // namespace

TEST_CASE("WEFT_MAXPROCS and GOMAXPROCS set the Ps of a world that does not say", "[sched][maxprocs][GO-53]") {
  {
    const variable no_weft("WEFT_MAXPROCS", nullptr), go("GOMAXPROCS", "5");
    CHECK(scenario("prints-maxprocs").out == "5\n");
    const variable weft("WEFT_MAXPROCS", "3");
    CHECK(scenario("prints-maxprocs").out == "3\n");
  }
  CHECK(scenario("prints-maxprocs").err.empty());
}

TEST_CASE("a world of 1024 Ps set by the environment starts and ends", "[sched][maxprocs][GO-28]") {
  const variable most("WEFT_MAXPROCS", "1024");
  const outcome o = scenario("prints-maxprocs");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "1024\n");
}

TEST_CASE("a variable that says no number is named in one line and passed over", "[sched][maxprocs][GO-53]") {
  const variable weft("WEFT_MAXPROCS", "abc"), go("GOMAXPROCS", "6");
  const outcome o = scenario("prints-maxprocs");
  CHECK(o.status == 0);
  CHECK(o.out == "6\n");
  CHECK(o.err == "weft: WEFT_MAXPROCS='abc' ignored: expected a number from 1 to 1024\n");
}

TEST_CASE("a bad variable is complained about once a process", "[sched][maxprocs][GO-53]") {
  const variable weft("WEFT_MAXPROCS", "4096"), go("GOMAXPROCS", "none");
  CHECK(scenario("asks-maxprocs-often").err ==
        "weft: WEFT_MAXPROCS='4096' ignored: expected a number from 1 to 1024\n"
        "weft: GOMAXPROCS='none' ignored: expected a number from 1 to 1024\n");
}

TEST_CASE("fibers that lock more threads than may be end the process and name the limit", "[sched][threads][GO-38]") {
  const auto name = GENERATE(as<std::string>(), "many-locked-fibers", "many-blocked-fibers");
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK_FALSE(o.timed_out);
  CHECK(o.out.empty());
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("program exceeds 10-thread limit") && Contains("fatal error: thread exhaustion"));
}

TEST_CASE("fibers that need fewer threads than may be get them", "[sched][threads][GO-38]") {
  const auto name = GENERATE(as<std::string>(), "few-locked-fibers", "few-blocked-fibers");
  for (int i = 0; i < scaled(20); ++i) {
    const outcome o = scenario(name);
    CAPTURE(name, i, o.err, o.timed_out);
    REQUIRE(o.status == 0);
    REQUIRE(o.err.empty());
  }
}

TEST_CASE("where the address space ends, so does the process, and says why", "[sched][stacks]") {
  if (sanitized) return;  // they need more of it than the limit
  const outcome o = scenario("more-stacks-than-address-space");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out == "5000 are there\n");  // of 8192 that the limit has room for, with threads and the program itself
  CHECK_THAT(o.err, Contains("fatal error: out of memory: no stack of 262144 bytes for a fiber"));
}

TEST_CASE("a world that blocks before main begins is a deadlock", "[sched][deadlock][DL-02]") {
  const variable block("WEFT_TEST_BLOCK_BEFORE_MAIN", "1");
  const outcome o = scenario("exits");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("fatal error: all fibers are asleep - deadlock!"));
}

TEST_CASE("a cycle of waiting fibers is no deadlock while another fiber lives", "[sched][deadlock][DL-30]") {
  const outcome o = scenario("cycle-beside-a-sleeper");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "slept on\n");
  CHECK(o.err.empty());
}

TEST_CASE("go of a null function ends the process and names the go statement", "[sched][misuse]") {
  const auto name =
      GENERATE(as<std::string>(), "go-of-a-null-pointer", "go-of-a-null-pointer-with-arguments",
               "go-of-a-null-member-pointer", "go-of-a-null-std-function", "named-go-of-a-null-std-function");
  const outcome o = scenario(name);
  CAPTURE(name, o.err);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("fatal error: go of a null function at ") && Contains("limit_scenarios.cc:"));
}

TEST_CASE("a signal that ends the process is its exit status", "[sched][DL-27]") {
  CHECK(scenario("fiber-raises-sigterm").status == 128 + SIGTERM);
  CHECK(scenario("fiber-raises-sigkill").status == 128 + SIGKILL);
  CHECK(scenario("fiber-aborts").status == 128 + SIGABRT);
}

TEST_CASE("a number of Ps that was given stays when the CPUs of the process change", "[sched][maxprocs][GO-55]") {
  const outcome o = scenario("keeps-an-explicit-maxprocs");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "3 2\n");
}

TEST_CASE("misuse that is fatal is caught by no handler", "[sched][misuse][DL-23]") {
  const outcome o = scenario("go-of-a-null-pointer-in-a-catch-all");
  CAPTURE(o.out, o.err);
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Contains("fatal error: go of a null function at "));
}

TEST_CASE("a main fiber that has lost its P when it returns is no leak", "[sched][run]") {
  const outcome o = scenario("main-returns-without-its-p");
  CAPTURE(o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.err.empty());
}
