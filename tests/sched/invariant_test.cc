// What cannot be ends the process with a sentence that says what it is, before it does harm.
#include <signal.h>

#include "tests/support/catch.h"
#include "tests/support/child.h"

using namespace weft::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

void ends_with(const std::string& name, const std::string& sentence) {
  const outcome o = run_child({beside_this_program("invariant_scenarios"), name});
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 128 + SIGABRT);
  CHECK_THAT(o.err, StartsWith("fatal error: scheduler: ") && Contains(sentence));
}

}  // namespace

TEST_CASE("a fiber is made ready once, and only if it has parked", "[sched][invariants][DIAG-31]") {
  ends_with("ready-twice", "is made ready, but it is runnable");
  ends_with("ready-into-a-list-twice", "is made ready, but it is runnable");
}

TEST_CASE("a fiber that is queued while it is parked is not run", "[sched][invariants][DIAG-31]") {
  ends_with("queued-while-parked", "is run, but it is parked");
}

TEST_CASE("no more Ms end looking for work than began", "[sched][invariants][DIAG-31]") {
  ends_with("too-few-spin", "more Ms have ended looking for work than began");
}
