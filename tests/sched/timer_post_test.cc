// An M sleeps for the timers, or the monitor does it, whatever the M does that slept for them last.
#include <atomic>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// No call into weft.
void compute_until(const std::atomic<bool>& done) {
  while (!done.load(std::memory_order_acquire)) {
  }
}

}  // namespace

// On a busy machine the monitor may be late and find a timer due, and takes the P that computes.
// Where no one has the post it never comes otherwise.
TEST_CASE("a timer fires on an idle P while the M that slept for it computes", "[sched][order][timers]") {
  hang_guard guard("nobody sleeps for the timer");
  in_world(GENERATE(2, 4, 16), [] {
    for (int i = 0; i < 100; ++i) {
      std::atomic<bool> done = false;
      go([&] {
        sleep(25ms);
        done = true;
      });
      sleep(1ms);  // for both this M sleeps; it wakes for the first
      const auto before = stats().handoffs;
      compute_until(done);
      if (stats().handoffs == before) return;
    }
    FAIL("each time the P had to be taken");
  });
}

TEST_CASE("a timer fires while the fiber that has armed it computes", "[sched][order][timers]") {
  hang_guard guard("nobody sleeps for the timer");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < 10; ++i) {
      std::atomic<bool> done = false;
      sleep(1ms);
      after_func(5ms, [&] { done = true; });
      compute_until(done);
    }
  });
}

TEST_CASE("sleepers that hand a P to one that computes are woken meanwhile", "[sched][order][timers]") {
  hang_guard guard("nobody sleeps for the timer");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < 10; ++i) {
      std::atomic<bool> done = false;
      wait_group both;
      both.go([&] {
        sleep(3ms);
        done = true;
      });
      both.go([&] { compute_until(done); });
      both.wait();
    }
  });
}
