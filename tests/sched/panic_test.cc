// How a process ends: by an exception that no one caught, by exit, or by its main fiber's return.
#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scale.h"

using namespace weft::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("sched_scenarios"), name}); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

}  // namespace

TEST_CASE("an exception that leaves a fiber ends the process with its text", "[sched][panic][DL-13][DL-28]") {
  auto name = GENERATE(as<std::string>(), "fiber-throws", "fiber-throws-after-suspending", "main-throws",
                       "main-throws-after-suspending");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("the boiler burst"));
}

TEST_CASE("the report of an exception names its fiber", "[sched][panic][DL-13]") {
  outcome o = scenario("named-fiber-throws");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("stoker") && Contains("fiber "));
}

TEST_CASE("the report of an exception shows where the fiber was started", "[sched][panic][DL-13]") {
  outcome o = scenario("fiber-throws");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("started at"));
}

TEST_CASE("something thrown that is no std::exception ends the process, too", "[sched][panic][DL-13]") {
  outcome o = scenario("fiber-throws-int");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("int"));
}

TEST_CASE("misuse that nobody catches ends the process with what it says", "[sched][panic][DL-13]") {
  outcome o = scenario("fiber-panics");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("send on closed channel"));
}

TEST_CASE("another fiber cannot catch a fiber's exception", "[sched][panic][DL-15]") {
  outcome o = scenario("starter-catches");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out.empty());
}

TEST_CASE("no destructor of another fiber runs when one panics", "[sched][panic][DL-13]") {
  outcome o = scenario("others-have-destructors");
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.out, !Contains("destructor of another fiber"));
}

TEST_CASE("the exception that leaves is the one reported", "[sched][panic][DL-21]") {
  outcome o = scenario("caught-then-another-thrown");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("the second") && !Contains("the first"));
}

TEST_CASE("a report under way is completed although main returns", "[sched][panic][GO-32]") {
  outcome o = scenario("throws-while-main-returns");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("slowly told"));
}

TEST_CASE("telling what went wrong may yield", "[sched][panic][DL-20]") {
  outcome o = scenario("what-yields");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("told after a yield"));
}

TEST_CASE("of several exceptions at once one is reported whole", "[sched][panic][DL-12]") {
  for (int i = 0; i < scaled(20); ++i) {
    outcome o = scenario("two-throw-at-once");
    CAPTURE(o.err, o.timed_out);
    REQUIRE(o.status == 2);
    REQUIRE_THAT(o.err, StartsWith("panic: ") && Contains("the boiler burst"));
    REQUIRE(count(o.err, "panic: ") == 1);
    REQUIRE_THAT(o.err, !Contains("deadlock"));
  }
}

TEST_CASE("the main fiber's int is the exit status", "[sched][run][DL-28]") {
  outcome o = scenario("main-returns-three");
  CHECK(o.status == 3);
  CHECK(o.err.empty());
}

TEST_CASE("the process ends when main returns, whoever is blocked", "[sched][run][GO-32]") {
  outcome o = scenario("main-returns-while-others-block");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out.empty());  // no destructor of an abandoned fiber runs
}

TEST_CASE("exit called by a fiber ends the process with its status", "[sched][run][DL-28]") {
  outcome o = scenario("fiber-calls-exit");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 5);
}

TEST_CASE("fibers left behind are listed where that was asked for", "[sched][run][leaks]") {
  outcome o = scenario("leaks-are-listed");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK_THAT(o.err, Contains("1 fiber") && Contains("started at"));
  outcome none = scenario("no-leaks-to-list");
  CHECK(none.status == 0);
  CHECK(none.err.empty());
}
