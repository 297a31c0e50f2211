// At most maxprocs fibers compute at one instant, by the kernel's count of CPU time: an upper bound
// that holds on a busy machine too.
#include <sched.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "runtime/sanitizer.h"
#include "tests/sched/cpu_time.h"
#include "tests/support/child.h"
#include "tests/support/environment.h"
#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

// Two fibers compute until each has seen the other compute `often`: on how many CPUs the two were.
int most_cpus_at_once(int often) {
  struct place {
    std::atomic<int> cpu = -1, times = 0;
  };
  std::array<place, 2> places;
  std::atomic<int> most = 1;
  wait_group both;
  for (std::size_t me = 0; me < places.size(); ++me)
    both.go([&, me] {
      place &mine = places[me], &other = places[1 - me];
      while (mine.times < often || other.times < often) {
        compute(2ms);
        mine.cpu = sched_getcpu();
        const int seen = other.times;
        if (++mine.times > often / 2 && seen > often / 2 && seen < often && mine.cpu != other.cpu) most = 2;
      }
    });
  both.wait();
  return most;
}

outcome scenario(const std::string& name) { return run_child({beside_this_program("limit_scenarios"), name}); }

}  // namespace

TEST_CASE("any number of fibers that compute use as many CPUs as there are Ps", "[sched][limit][maxprocs][GO-07]") {
  hang_guard guard("fibers that compute without a P do not end");
  const int procs = GENERATE(1, 2), hogs = GENERATE(2, 5);
  in_world(procs,
           [=] { CHECK(cpus_used([&] { all_at_once(procs * hogs, [] { compute(150ms); }); }) <= at_most(procs)); });
}

// The other bound. Beside other processes too, two fibers are on two CPUs in some round.
TEST_CASE("fibers that compute are on as many CPUs as there are Ps", "[sched][limit][maxprocs]") {
  if (num_cpu() < 2) return;
  hang_guard guard("two Ps are never on two CPUs");
  in_world(2, [] {
    std::atomic<bool> stop = false;
    wait_group hogs;
    for (int i = 0; i < 2; ++i)  // more fibers than Ps, so that the limit is there
      hogs.go([&stop] {
        while (!stop) compute(1ms);
      });
    while (most_cpus_at_once(20) < 2) {
    }
    stop = true;
    hogs.wait();
  });
}

TEST_CASE("what a fiber computes after a blocking call counts", "[sched][limit]") {
  hang_guard guard("fibers that block and compute do not end");
  in_world(1, [] {
    const double used = cpus_used([] {
      all_at_once(4, [] {
        for (int i = 0; i < 4; ++i) {
          blocking([] { usleep(2000); });
          compute(20ms);
        }
      });
    });
    CHECK(used <= at_most(1));
  });
}

TEST_CASE("what a fiber computes after a system call that took its P counts", "[sched][limit][retake]") {
  hang_guard guard("fibers that sleep in the kernel and compute do not end");
  const int times = GENERATE(1, 8);
  in_world(1, [=] {
    const double used = cpus_used([=] {
      all_at_once(4, [=] {
        for (int i = 0; i < times; ++i) {
          usleep(2000);
          compute(duration(80ms) / times);
        }
      });
    });
    CHECK(used <= at_most(1));
  });
}

TEST_CASE("what a fiber computes after a long system call counts", "[sched][limit][retake]") {
  hang_guard guard("a fiber that slept long in the kernel does not end");
  in_world(1, [] {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    wait_group sleeper;
    sleeper.go([&] {
      char c = 0;
      FACT(read(ends[0], &c, 1) == 1);  // unannounced
      compute(200ms);
    });
    for (const auto until = now() + 300ms; now() < until;) yield();  // it counts no more
    const double used = cpus_used([&] {
      FACT(write(ends[1], "x", 1) == 1);
      compute(200ms);
      sleeper.wait();
    });
    CHECK(used <= at_most(1));
    close(ends[0]);
    close(ends[1]);
  });
  report_broken_fact();
}

TEST_CASE("fibers that are locked to their threads count", "[sched][limit]") {
  hang_guard guard("locked fibers that compute do not end");
  in_world(1, [] {
    const double used = cpus_used([] {
      all_at_once(4, [] {
        lock_os_thread();
        for (int i = 0; i < 3; ++i) {
          compute(25ms);
          yield();
        }
        unlock_os_thread();
      });
    });
    CHECK(used <= at_most(1));
  });
}

TEST_CASE("a lower maxprocs holds for fibers that compute already", "[sched][limit][maxprocs]") {
  hang_guard guard("fibers that compute while maxprocs changes do not end");
  in_world(4, [] {
    std::atomic<bool> over = false;
    std::atomic<int> began = 0;
    wait_group hogs;
    for (int i = 0; i < 3; ++i)
      hogs.go([&] {
        ++began;
        while (!over) {
        }
      });
    while (began < 3) yield();
    maxprocs(1);
    compute(20ms);  // the monitor has looked
    CHECK(cpus_used([] { compute(300ms); }) <= at_most(1));
    over = true;
    hogs.wait();
  });
}

TEST_CASE("maxprocs that goes up and down while fibers compute strands none", "[sched][limit][maxprocs]") {
  hang_guard guard("fibers that compute while maxprocs changes do not end");
  in_world(1, [] {
    wait_group hogs;
    for (int i = 0; i < 6; ++i) hogs.go([] { compute(50ms); });
    for (int i = 0; i < 20; ++i) {
      maxprocs(1 + i % 3);
      sleep(3ms);
    }
    hogs.wait();
  });
}

TEST_CASE("a fiber that holds a std::mutex while it has no P stops no other for good", "[sched][limit][retake]") {
  hang_guard guard("a lock that a fiber without a P holds is never freed");
  in_world(1, [] {
    std::mutex held;
    all_at_once(6, [&] {
      for (int i = 0; i < 3; ++i) {
        const std::lock_guard hold(held);
        compute(15ms);
      }
    });
  });
}

TEST_CASE("others run in time beside fibers that compute", "[sched][limit][GO-07]") {
  hang_guard guard("fibers that compute starve the others");
  in_world(1, [] {
    std::atomic<bool> over = false;
    wait_group hogs;
    for (int i = 0; i < 3; ++i)
      hogs.go([&] {
        while (!over) {
        }
      });
    for (int i = 0; i < 50; ++i) sleep(1ms);
    over = true;
    hogs.wait();
  });
}

TEST_CASE("fibers that compute on one P are on one CPU", "[sched][limit]") {
  hang_guard guard("fibers that compute without a P do not end");
  in_world(1, [] { CHECK(most_cpus_at_once(20) == 1); });
}

TEST_CASE("with the limit off fibers on one P are on more CPUs than one", "[sched][limit]") {
  hang_guard guard("two fibers are never on two CPUs", std::chrono::seconds(300));
  if (num_cpu() < 2) return;
  const variable off("WEFT_DEBUG", "limit=0");
  int most = 0;  // the canary: what the limit keeps, this breaks
  while (most < 2) in_world(1, [&] { most = most_cpus_at_once(20); });
}

TEST_CASE("a kernel that refuses to bind threads is said once, and all goes on", "[sched][limit]") {
  const outcome o = scenario("affinity-refused");
  CAPTURE(o.err);
  CHECK(o.status == 0);
  CHECK(o.out == "ended\n");
  if (num_cpu() < 2 || sanitized) return;
  CHECK_THAT(o.err, Contains("weft: sched_setaffinity: "));
  CHECK(o.err.find("sched_setaffinity", o.err.find("sched_setaffinity") + 1) == std::string::npos);
}
