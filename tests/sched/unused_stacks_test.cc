// Unused stacks go back to the system, and nothing else waits for that.
#include <weft/chan.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "runtime/stack.h"
#include "sched/g_cache.h"
#include "tests/sched/cpu_time.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Runs `fibers` fibers that exist together, each on a stack of its own.
void run_many(int fibers) {
  auto gate = make_chan<void>();
  std::atomic<int> began = 0;
  wait_group all;
  for (int i = 0; i < fibers; ++i)
    all.go([&, gate] {
      ++began;
      gate.recv();
    });
  while (began < fibers) yield();
  gate.close();
  all.wait();
}

// The CPU time after which a fiber that computes has lost its P to one that waits.
duration until_another_runs() {
  std::atomic<bool> other = false;
  go([&] { other = true; });
  const duration began = clock_of(CLOCK_THREAD_CPUTIME_ID);
  while (!other) {
  }
  return clock_of(CLOCK_THREAD_CPUTIME_ID) - began;
}

}  // namespace

TEST_CASE("a fiber that computes loses its P while the stacks of many others are freed", "[sched][retake]") {
  hang_guard guard("a fiber that computes keeps its P");
  static constexpr duration slice = 10ms * (detail::under_tsan ? 20 : detail::under_asan ? 4 : 1);
  in_world(1, [] {
    run_many(sanitized ? 5'000 : 100'000);
    compute(250ms);  // the monitor has seen by now that they are unused
    std::array<duration, 50> took;
    for (duration& t : took) {
      yield();
      t = until_another_runs();
    }
    std::sort(took.begin(), took.end());
    CAPTURE(took.front() / 1us, took[25] / 1us, took.back() / 1us);
    CHECK(took[47] < 3 * slice);  // one or two may have met a machine that had other work
  });
}

TEST_CASE("unused stacks are freed a few at a time, and none that was in use again", "[sched]") {
  hang_guard guard("unused stacks");
  in_world(1, [] {
    // A size of its own, which the world's monitor does not look at.
    static constexpr std::size_t size = 96 << 10;
    detail::stack_arena& arena = detail::arena_for(size);
    detail::g_cache cache;
    std::array<detail::G*, 200> gs;
    for (detail::G*& g : gs) g = cache.take(&arena);
    for (detail::G* g : gs) cache.give(g);  // what is too much for one P's cache goes to the shared one
    const std::size_t all = detail::count_idle_gs(arena).all;
    REQUIRE(all > 100);
    CHECK(detail::count_idle_gs(arena).unused == all);
    CHECK(detail::rest_idle_gs(arena, 60) == 60);
    CHECK(detail::count_idle_gs(arena).all == all - 60);
    for (detail::G*& g : gs) g = cache.take(&arena);
    for (detail::G* g : gs) cache.give(g);
    CHECK(detail::rest_idle_gs(arena, 60) == 0);  // each was used since the count
    CHECK(detail::count_idle_gs(arena).all == all);
    CHECK(detail::rest_idle_gs(arena, 1000) == all);
    CHECK(detail::count_idle_gs(arena).all == 0);
    cache.give_back_all();
  });
}
