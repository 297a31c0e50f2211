// What is reported of an exception that leaves its fiber: the stack it was thrown on, and its
// causes.
#include "tests/diag/scenario.h"

using namespace weft::testing;

TEST_CASE("the report of an exception shows the stack of its throw", "[diag][panic][DL-13]") {
  const auto name = GENERATE(as<std::string>(), "throws-deep", "main-throws-deep", "throws-after-migrations",
                             "throws-in-blocking-call");
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: ") && Contains("[running]:") && Contains("started at"));
  CHECK_THAT(o.err, Contains("light_the_fire") && Contains("stoke_the_boiler"));
  CHECK(o.err.find("light_the_fire") < o.err.find("stoke_the_boiler"));  // innermost first
  CHECK_THAT(o.err, !Contains("__cxa_throw") && !Contains("fiber_entry"));
  if (has_lines) CHECK_THAT(o.err, Contains("scenarios.cc:"));
}

TEST_CASE("an exception that a noexcept function holds up is a panic", "[diag][panic][DL-13]") {
  // Such a function counts as a handler: frames above it that have destructors are unwound before.
  const outcome o = scenario("throws-through-noexcept");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: through a closed door") && Contains("operator()"));
  CHECK_THAT(o.err, !Contains("_Unwind_"));
}

TEST_CASE("the report of an exception names fiber, type and start site", "[diag][panic][DL-13]") {
  const outcome o = scenario("throws-deep");
  CAPTURE(o.err);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: the boiler burst\n") && Contains("stoker [running]"));
  const std::size_t site = o.err.find("started at ");
  REQUIRE(site != std::string::npos);
  if (has_lines) CHECK_THAT(o.err.substr(site), Contains("operator()") && Contains("scenarios.cc:"));
}

TEST_CASE("an exception thrown in a handler that had suspended shows its own stack", "[diag][panic][DL-21]") {
  const outcome o = scenario("throws-in-catch-that-suspends");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: the second") && Contains("stoke_the_boiler") &&
                        !Contains("the first"));
}

TEST_CASE("an exception thrown anew after a suspension is told", "[diag][panic][DL-16]") {
  const outcome o = scenario("rethrows-after-suspending");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: told twice"));
}

TEST_CASE("an exception that leaves a fiber on its way out ends the process", "[diag][panic][DL-18]") {
  const outcome o = scenario("throws-while-exiting");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: burst on the way out") && Contains("stoke_the_boiler"));
}

TEST_CASE("an exception caught on a fiber's way out does not keep it", "[diag][panic][DL-18]") {
  const outcome o = scenario("throws-and-catches-while-exiting");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "recovered\n");
}

TEST_CASE("the causes of an exception are told in order", "[diag][panic][DL-16]") {
  const outcome o = scenario("throws-with-cause");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("no motion") && Contains("no steam") && Contains("no water"));
  CHECK(o.err.find("no motion") < o.err.find("no steam"));
  CHECK(o.err.find("no steam") < o.err.find("no water"));
  const outcome odd = scenario("cause-throws-nothing-known");
  CAPTURE(odd.err);
  CHECK(odd.status == 2);
  CHECK_THAT(odd.err, Contains("something odd") && Contains("oddity"));
}

TEST_CASE("a panic whose text never comes ends the process all the same", "[diag][panic][DL-12][DL-20]") {
  const outcome o = scenario("what-blocks-for-ever");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && !Contains("deadlock"));
}

TEST_CASE("a panic that yields is told although another fiber panics then", "[diag][panic][DL-12][DL-20]") {
  const outcome o = scenario("what-yields-to-another-panic");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("told after the other") && !Contains("runtime_error"));
}

TEST_CASE("a program's own terminate handler has the last word", "[diag][panic]") {
  const outcome o = scenario("has-terminate-handler");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 7);
  CHECK(o.out == "my own last words\n");
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: the boiler burst"));
}

TEST_CASE("the terminate handler is the program's again after run", "[diag][panic]") {
  const outcome o = scenario("terminate-handler-is-back");
  CHECK(o.status == 0);
}

TEST_CASE("an exception of a plain thread is no fiber's", "[diag][panic]") {
  const outcome o = scenario("plain-thread-throws");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 128 + SIGABRT);
  CHECK_THAT(o.err, Contains("no fiber's fault") && !Contains("panic"));
}
