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

namespace {
outcome in_chaos(const std::string& name) {
  return run_child({"/usr/bin/env", "WEFT_DEBUG=chaos", beside_this_program("diag_scenarios"), name}, 120);
}
}  // namespace

TEST_CASE("in chaos mode a suspension that holds a mutex of the thread ends the process", "[diag][no_suspend][chaos]") {
  const auto [name, what] =
      GENERATE(table<const char*, const char*>({{"yields-with-std-mutex", "suspended (yield)"},
                                                {"parks-with-shared-mutex", "suspended (chan receive)"},
                                                {"sleeps-with-second-mutex", "suspended (sleep)"}}));
  const outcome o = in_chaos(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: ") && Contains(what) && Contains("while it holds a std::mutex"));
  CHECK_THAT(o.err, Contains("fiber 1"));
  if (has_lines) CHECK(count(o.err, "scenarios.cc:") >= 2);  // where it locked, where it suspended
}

TEST_CASE("in chaos mode mutexes of the thread that are let go of in time are allowed", "[diag][no_suspend][chaos]") {
  const outcome o = in_chaos("uses-std-mutexes-well");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "all counted\n");
}

TEST_CASE("without chaos mode nobody looks for mutexes of the thread", "[diag][no_suspend]") {
  const outcome o = scenario("yields-with-std-mutex");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
}
