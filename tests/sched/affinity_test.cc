// What the limit on the CPUs of fibers that compute (sched/cpu_limit.cc) leaves of the affinity
// that the program chose.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "runtime/sanitizer.h"
#include "tests/sched/cpu_time.h"
#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

cpu_set_t affinity(pid_t tid = 0) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(tid, sizeof mask, &mask);
  return mask;
}
bool same(const cpu_set_t& a, const cpu_set_t& b) { return CPU_EQUAL(&a, &b); }

int nth_cpu(const cpu_set_t& mask, int n) {
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &mask) && n-- == 0) return cpu;
  return -1;
}
int first_cpu(const cpu_set_t& mask) { return nth_cpu(mask, 0); }

cpu_set_t only(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  return one;
}

// A fiber that binds its thread may run on the thread that runs the world, which outlives it.
struct former_affinity {
  const cpu_set_t before = affinity();
  former_affinity() = default;
  former_affinity(const former_affinity&) = delete;
  former_affinity& operator=(const former_affinity&) = delete;
  ~former_affinity() { sched_setaffinity(0, sizeof before, &before); }
};

// Fibers that compute until `over`.
void start_three(wait_group& hogs, const std::atomic<bool>& over) {
  for (int i = 0; i < 3; ++i)
    hogs.go([&over] {
      while (!over) {
      }
    });
}

}  // namespace

TEST_CASE("every thread has its own affinity again when the world has ended", "[sched][limit]") {
  hang_guard guard("a world with fibers that compute does not end");
  const cpu_set_t before = affinity();
  in_world(1, [] { all_at_once(3, [] { compute(40ms); }); });
  CHECK(same(affinity(), before));
  in_world(1, [] {  // and that of a world that ends while they compute
    for (int i = 0; i < 3; ++i) go([] { compute(60ms); });
    sleep(30ms);
  });
  CHECK(same(affinity(), before));
}

TEST_CASE("a thread that a fiber makes may run on all CPUs", "[sched][limit]") {
  hang_guard guard("a thread that a fiber has made keeps the affinity of the fiber's thread");
  const cpu_set_t before = affinity();
  in_world(1, [&] {
    std::atomic<bool> over = false;
    wait_group hogs;
    start_three(hogs, over);
    for (int i = 0; i < 20; ++i) sleep(1ms);
    std::thread made([&] {
      while (!same(affinity(), before)) usleep(1000);
    });
    blocking([&] { made.join(); });
    over = true;
    hogs.wait();
  });
}

TEST_CASE("a child that a fiber forks may run on all CPUs", "[sched][limit]") {
  hang_guard guard("a forked child does not end");
  if (detail::under_tsan) return;  // it does not let a process with threads fork
  const cpu_set_t before = affinity();
  in_world(1, [&] {
    std::atomic<bool> over = false;
    wait_group hogs;
    start_three(hogs, over);
    hogs.go([&] {
      while (num_cpu() > 1 && same(affinity(), before)) {  // until the limit binds it
      }
      const pid_t child = fork();
      if (child == 0) _exit(same(affinity(), before) ? 0 : 1);
      int status = -1;
      waitpid(child, &status, 0);
      FACT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      over = true;
    });
    hogs.wait();
  });
  report_broken_fact();
}

TEST_CASE("the affinity that a program has set stays", "[sched][limit]") {
  hang_guard guard("a pinned fiber that computes does not end");
  const former_affinity restored_at_the_end;
  in_world(1, [] {
    lock_os_thread();
    const cpu_set_t one = only(first_cpu(affinity()));
    sched_setaffinity(0, sizeof one, &one);  // no other fiber is there yet, so no limit has bound this thread
    wait_group all;
    for (int i = 0; i < 3; ++i) all.go([] { compute(100ms); });
    for (int i = 0; i < 5; ++i) {
      compute(15ms);
      yield();
    }
    all.wait();
    FACT(same(affinity(), one));
    unlock_os_thread();
  });
  report_broken_fact();
}

TEST_CASE("others compute on the CPU to which a program has bound a fiber", "[sched][limit]") {
  hang_guard guard("a pinned fiber that computes does not end");
  const former_affinity restored_at_the_end;
  const std::string when = GENERATE("before it loses its P", "while the limit holds", "while no fiber has a P");
  const int cpu = GENERATE(0, 1);
  if (cpu >= num_cpu()) return;
  CAPTURE(when, cpu);
  const cpu_set_t one = only(nth_cpu(affinity(), cpu));
  in_world(1, [&] {
    std::atomic<bool> rested = false, pinned = false, over = false;
    wait_group fiber;
    fiber.go([&] {
      lock_os_thread();
      if (when == "while the limit holds") compute(60ms);
      while (when == "while no fiber has a P" && !rested) {
      }
      sched_setaffinity(0, sizeof one, &one);
      pinned = true;
      while (!over) {
      }
    });
    yield();  // until it has lost the P
    if (when == "while no fiber has a P") {
      std::atomic<bool> ended = false;
      fiber.go([&] { ended = true; });  // this one loses the P to it
      while (!ended) {
      }
      compute(60ms);  // nothing is left that the monitor could retake
      rested = true;
    }
    while (!pinned) {
    }
    compute(20ms);  // the monitor has looked
    CHECK(cpus_used([] { compute(300ms); }) <= at_most(1));
    over = true;
    fiber.wait();
  });
}
