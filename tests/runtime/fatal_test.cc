// Last words and log lines, read from child processes.
#include <signal.h>

#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/child.h"

using namespace weft::testing;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("runtime_scenarios"), name}); }

}  // namespace

TEST_CASE("fatal says one sentence and aborts", "[runtime][fatal]") {
  const outcome o = scenario("fatal");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 128 + SIGABRT);
  CHECK(o.err.substr(0, o.err.find('\n') + 1) == "fatal error: the keel broke\n");
}

TEST_CASE("lines that several threads log at once stay whole", "[runtime][fatal]") {
  const outcome o = scenario("logs-from-four-threads");
  CHECK(o.status == 0);
  std::istringstream lines(o.err);
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n) {
    REQUIRE(line.size() == std::string("weft: line of thread 0 from end to end").size());
    REQUIRE(line.substr(0, 21) == "weft: line of thread ");
    REQUIRE(line.substr(22) == " from end to end");
  }
  CHECK(n == 800);
}
