// Uncaught misuse of channels and locks ends the process, with the reason.
#include "tests/support/catch.h"
#include "tests/support/child.h"

using namespace weft::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("chan_scenarios"), name}); }

}  // namespace

TEST_CASE("a send on a closed channel that nobody catches ends the process", "[chan][CHAN-20]") {
  auto name = GENERATE(as<std::string>(), "sends-on-closed", "parked-sender-sees-close");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("send on closed channel"));
}

TEST_CASE("an unlock of an unlocked mutex that nobody catches ends the process", "[sync][SYN-02]") {
  auto name = GENERATE(as<std::string>(), "unlocks-unlocked", "unlocks-twice");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("unlocked"));
}

TEST_CASE("a negative wait group that nobody catches ends the process", "[sync][SYN-16]") {
  outcome o = scenario("negative-wait-group");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("sync: negative WaitGroup counter"));
}

TEST_CASE("a group whose fiber throws is never done: the process ends first", "[sync][SYN-20]") {
  for (int i = 0; i < 10; ++i) {
    outcome o = scenario("wait-group-fiber-throws");
    CAPTURE(o.out, o.err, o.timed_out);
    REQUIRE(o.status == 2);
    REQUIRE(o.out.empty());
    REQUIRE_THAT(o.err, StartsWith("panic: ") && Contains("a fiber of the group"));
  }
}

TEST_CASE("a once inside itself and a lock taken twice are deadlocks", "[sync][SYN-23]") {
  auto name = GENERATE(as<std::string>(), "once-inside-itself", "locks-twice");
  outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("all fibers are asleep - deadlock!"));
}
