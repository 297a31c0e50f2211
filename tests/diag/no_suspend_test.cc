// Regions in which a suspension is a bug.
#include <weft/weft.h>

#include <mutex>

#include "tests/diag/scenario.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("a suspension in a region that forbids it ends the process, with both places", "[diag][no_suspend]") {
  const auto [name, what] = GENERATE(table<const char*, const char*>({{"parks-in-region", "suspended (chan receive)"},
                                                                      {"sleeps-in-region", "suspended (sleep)"},
                                                                      {"yields-in-region", "suspended (yield)"},
                                                                      {"blocks-in-region", "suspended ("}}));
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains(what) && Contains("which began at"));
  CHECK_THAT(o.err, Contains("in_a_region") && Contains("fiber 1"));
}

TEST_CASE("the end of an inner region leaves the outer one in force", "[diag][no_suspend]") {
  const outcome o = scenario("parks-in-inner-region");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("suspended (chan receive)"));
}

TEST_CASE("what does not suspend is allowed, and the end of the region allows the rest", "[diag][no_suspend]") {
  in_world(GENERATE(1, 2), [] {
    auto c = make_chan<int>(1);
    std::mutex m;
    wait_group all;
    {
      const std::lock_guard hold(m);
      const no_suspend region;
      CHECK(c.try_send(1));
      CHECK(c.try_recv() == 1);
      all.go([] {});
      mutex mu;
      mu.lock();
      mu.unlock();
    }
    all.wait();
    yield();
  });
}

TEST_CASE("a plain thread is in no region", "[diag][no_suspend]") {
  const no_suspend region;
  auto c = make_chan<int>(1);
  c.send(1);
  CHECK(c.recv() == 1);
}
