// Simulation: the schedules of a program, drawn from a seed, with virtual time.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/wait_group.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;
namespace sim = weft::sim;

namespace {

// In a simulation an hour takes no time: the clock jumps to the next timer when no fiber can run.
void sim_run() {
  const sim::report r = sim::run([] {
    auto done = weft::make_chan<void>();
    weft::go([done] {
      weft::sleep(1h);
      done.close();
    });
    done.recv();
  });
  std::printf("%s after %d virtual minutes\n", sim::to_string(r.what),
              static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(r.virtual_time).count()));
}
// Prints:
// passed after 60 virtual minutes

// explore searches for a schedule that fails; replay repeats it.
void sim_explore() {
  const auto program = [] {
    int count = 0;
    weft::wait_group group;
    for (int i = 0; i < 2; ++i)
      group.go([&count] {
        const int seen = count;
        sim::point();  // another fiber may run here, as it may between any two lines
        count = seen + 1;
      });
    group.wait();
    sim::require(count == 2, "no increment is lost");
  };
  const sim::report found = sim::explore(sim::options{.seed = 1}, program);
  std::printf("explore: %s\n", sim::to_string(found.what));
  std::printf("replay: %s\n", sim::to_string(sim::replay(found.replay, program).what));
}
// Prints:
// explore: failed
// replay: failed

// With a lock every schedule passes.
void sim_explore_passes() {
  const sim::report r = sim::explore({.seed = 1, .how = sim::strategy::pos, .schedules = 100}, [] {
    weft::mutex mu;
    int count = 0;
    weft::wait_group group;
    for (int i = 0; i < 2; ++i)
      group.go([&] {
        const std::lock_guard hold(mu);
        const int seen = count;
        sim::point();
        count = seen + 1;
      });
    group.wait();
    sim::require(count == 2, "no increment is lost");
  });
  std::printf("%s, %d schedules\n", sim::to_string(r.what), static_cast<int>(r.schedules));
}
// Prints:
// passed, 100 schedules

// Two locks in two orders: a deadlock that a test on a machine rarely meets.
void sim_deadlock() {
  const sim::report r = sim::explore([] {
    auto a = std::make_shared<weft::mutex>(), b = std::make_shared<weft::mutex>();
    auto done = weft::make_chan<void>(1);
    weft::go([=] {
      const std::scoped_lock first(*b);
      const std::scoped_lock second(*a);
      done.send();
    });
    {
      const std::scoped_lock first(*a);
      const std::scoped_lock second(*b);
    }
    done.recv();
  });
  if (r.what == sim::verdict::deadlock) std::puts("deadlock");
}
// Prints:
// deadlock

// wait returns when every other fiber waits: a test looks at a state without guessing a time.
void sim_wait() {
  const sim::report r = sim::run([] {
    auto jobs = weft::make_chan<int>();
    auto sum = std::make_shared<int>(0);
    weft::go([=] {
      for (const int n : jobs) *sum += n;
    });
    jobs.send(40);
    jobs.send(2);
    sim::wait();
    sim::require(*sum == 42, "both jobs are done");
    jobs.close();
  });
  std::puts(sim::to_string(r.what));
}
// Prints:
// passed

// A rare failure of the outside world, as a choice of the schedule.
void sim_maybe() {
  const sim::report r = sim::explore({.seed = 1}, [] {
    const auto write = [] { return !sim::maybe("the disk is full"); };
    sim::require(write(), "the caller does not check write()");
  });
  std::puts(sim::to_string(r.what));
}
// Prints:
// failed

// A number that the schedule chooses: explore tries the values of an input.
void sim_choose() {
  const sim::report r = sim::explore({.seed = 1}, [] {
    const std::uint64_t n = sim::active() ? sim::choose(4) : 0;
    sim::require(n != 3, "the case 3 is missing");
  });
  std::puts(sim::to_string(r.what));
}
// Prints:
// failed

const examples::group simulation({
    {"sim_run", sim_run, examples::where::alone},
    {"sim_explore", sim_explore, examples::where::alone},
    {"sim_explore_passes", sim_explore_passes, examples::where::alone},
    {"sim_deadlock", sim_deadlock, examples::where::alone},
    {"sim_wait", sim_wait, examples::where::alone},
    {"sim_maybe", sim_maybe, examples::where::alone},
    {"sim_choose", sim_choose, examples::where::alone},
});

}  // namespace
