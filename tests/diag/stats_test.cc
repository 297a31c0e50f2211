// stats(): counters of the scheduler.
#include <weft/weft.h>

#include <atomic>

#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("what is counted never falls, and what belongs together fits", "[diag][stats][DIAG-25]") {
  hang_guard guard("counting");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<bool> stop = false;
    wait_group all;
    for (int f = 0; f < 4; ++f)
      all.go([&] {
        do {
          wait_group few;
          for (int i = 0; i < 20; ++i) few.go([] { yield(); });
          few.wait();
          sleep(10us);
        } while (!stop);
      });
    runtime_stats last;
    for (int i = 0; i < scaled(2000); ++i) {
      const runtime_stats s = stats();
      FACT(s.spawned >= last.spawned && s.finished >= last.finished && s.switches >= last.switches);
      FACT(s.adopted >= last.adopted && s.steals >= last.steals && s.stolen >= last.stolen);
      FACT(s.wakeups >= last.wakeups && s.handoffs >= last.handoffs && s.timers_fired >= last.timers_fired);
      FACT(s.spawned > s.finished);  // at least this one is alive
      FACT(s.switches >= s.adopted);
      FACT(s.threads >= 1);
      last = s;
      yield();
    }
    stop = true;
    all.wait();
    const runtime_stats end = stats();
    FACT(end.timers_fired > 0);
    FACT(end.spawned - end.finished == num_fibers());
  });
  report_broken_fact();
}
