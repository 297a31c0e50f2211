// WEFT_DEBUG=traceback and ancestors: how much is printed when an error ends the process.
#include "tests/diag/scenario.h"
#include "tests/support/environment.h"

using namespace weft::testing;

namespace {

outcome told(const char* debug, const char* name) {
  const variable words("WEFT_DEBUG", debug);
  return scenario(name);
}

}  // namespace

TEST_CASE("traceback says how much of a panic is told", "[diag][traceback][DIAG-30]") {
  const outcome none = told("traceback=none", "throws-among-others"), single = told("", "throws-among-others"),
                all = told("traceback=all", "throws-among-others"),
                system = told("traceback=system", "throws-among-others");
  for (const outcome& o : {none, single, all, system}) {
    CAPTURE(o.err, o.timed_out);
    CHECK(o.status == 2);
    CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: the boiler burst\n"));
  }
  CHECK(none.err == "panic: std::runtime_error: the boiler burst\n");
  CHECK_THAT(single.err, Contains("stoke_the_boiler") && !Contains("wait_at_the_gate"));
  CHECK_THAT(all.err,
             Contains("stoke_the_boiler") && Contains("keeper [chan receive]") && Contains("wait_at_the_gate"));
  CHECK(count(all.err, "stoke_the_boiler") == 1);
  CHECK_THAT(all.err, !Contains("fiber_entry"));
  CHECK_THAT(system.err, Contains("fiber_entry") && Contains("wait_at_the_gate"));
}

TEST_CASE("a panic that is to leave a core file ends by a signal", "[diag][traceback][DIAG-30]") {
  const outcome o = told("traceback=crash", "throws-among-others");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 128 + SIGABRT);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains("wait_at_the_gate") && !Contains("fatal error"));
}

TEST_CASE("traceback says how much of a deadlock is told", "[diag][traceback][DIAG-30]") {
  const std::string line = "fatal error: all fibers are asleep - deadlock!\n";
  CHECK(told("traceback=none", "deadlocks").err == line);
  CHECK_THAT(told("", "deadlocks").err, StartsWith(line) && Contains("wait_at_the_gate"));
  const outcome o = told("traceback=crash", "deadlocks");
  CHECK(o.status == 128 + SIGABRT);
  CHECK_THAT(o.err, StartsWith(line) && Contains("wait_at_the_gate"));
}

TEST_CASE("traceback says how much of a stack overflow is told", "[diag][traceback][DIAG-30]") {
  if (sanitized) return;  // the sanitizers report it
  CHECK(told("traceback=none", "overflows-among-others").err == "fatal error: stack overflow\n\n");
  CHECK_THAT(told("", "overflows-among-others").err, Contains("dig_deeper") && !Contains("wait_at_the_gate"));
  CHECK_THAT(told("traceback=all", "overflows-among-others").err,
             Contains("dig_deeper") && Contains("wait_at_the_gate"));
}

TEST_CASE("stacks show who has started whom", "[diag][traceback][DIAG-05]") {
  const outcome none = told("", "throws-in-the-third-generation"),
                two = told("ancestors=2", "throws-in-the-third-generation"),
                all = told("ancestors=10", "throws-in-the-third-generation");
  for (const outcome& o : {none, two, all}) {
    CAPTURE(o.err, o.timed_out);
    CHECK(o.status == 2);
    CHECK_THAT(o.err, StartsWith("panic: "));
  }
  CHECK(count(none.err, "\tby fiber ") == 0);
  CHECK(count(two.err, "\tby fiber ") == 2);
  CHECK(count(all.err, "\tby fiber ") == 3);
  if (has_lines) CHECK_THAT(two.err, Contains("have_grandchildren") && !Contains("weft::run"));
  CHECK_THAT(all.err, Contains("by fiber 1, started at weft::run"));
}

TEST_CASE("fibers of one parent are shown together, and those of others apart", "[diag][traceback][DIAG-05]") {
  const outcome o = told("ancestors=1", "deadlocks-in-two-families");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(count(o.err, "5 fibers with this stack:") == 2);
}
