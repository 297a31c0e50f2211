// WEFT_DEBUG=schedtrace=MS: lines about the scheduler while the program runs.
#include "tests/support/catch.h"
#include "tests/support/child.h"

using namespace weft::testing;
using Catch::Matchers::Contains;

TEST_CASE("the scheduler tells its state so often, with the fields that Go's has", "[sched][debug][DIAG-26]") {
  const outcome o = run_child({beside_this_program("sched_scenarios"), "schedtrace"});
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK_THAT(o.err, Contains("SCHED ") && Contains("ms: maxprocs=2 idleprocs="));
  for (const char* field : {" threads=", " spinningthreads=", " idlethreads=", " runqueue=", " [", " schedticks=["})
    CHECK_THAT(o.err, Contains(field));
  std::size_t lines = 0;
  for (std::size_t at = o.err.find("SCHED "); at != std::string::npos; at = o.err.find("SCHED ", at + 1)) ++lines;
  CHECK(lines >= 2);
  CHECK_THAT(o.err, Contains("WEFT_DEBUG: \"nonsense=3\" is not understood"));
}
