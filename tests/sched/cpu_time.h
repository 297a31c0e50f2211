// CPU time by the kernel's count, for tests of what computes at one instant.
#pragma once
#include <time.h>

#include <chrono>
#include <functional>

#include "tests/support/fibers.h"

namespace weft::testing {

inline duration clock_of(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// Computes, without a call into weft, until the thread has used `cpu` more of its CPU.
inline void compute(duration cpu) {
  const duration until = clock_of(CLOCK_THREAD_CPUTIME_ID) + cpu;
  while (clock_of(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
}

// CPUs at work while f runs. f takes 300 ms or more: the monitor's looks count too, and what the
// host takes from a CPU that has just been woken. One of 100 ms exceeded at_most() in 2 of 150
// runs, by 0.1 %.
inline double cpus_used(const std::function<void()>& f) {
  const duration cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID), wall = clock_of(CLOCK_MONOTONIC);
  f();
  return static_cast<double>((clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu).count()) /
         static_cast<double>((clock_of(CLOCK_MONOTONIC) - wall).count());
}

inline double at_most(int procs) { return 1.05 * procs; }

// `hogs` fibers that run together, each calls f.
inline void all_at_once(int hogs, const std::function<void()>& f) {
  wait_group all;
  for (int i = 0; i < hogs; ++i) all.go([&] { f(); });
  all.wait();
}

}  // namespace weft::testing
