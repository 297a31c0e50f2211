// after_func: a function that a fiber of its own runs later.
#include <atomic>
#include <memory>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("functions after a delay run in fibers of their own and may block", "[chan][timer][TM-05]") {
  hang_guard guard("a function after a delay blocks the timers");
  in_world(GENERATE(1, 2, 4), [] {
    // Each arms the next and then waits until all ten have begun.
    std::atomic<int> begun = 0;
    auto gate = make_chan<void>();
    wait_group all;
    std::vector<timer> timers(10);
    auto link = [&](auto self, std::size_t i) -> void {
      if (i == timers.size()) return gate.close();
      all.add(1);
      timers[i] = after_func(duration::zero(), [&, self, i] {
        ++begun;
        self(self, i + 1);
        gate.recv();
        all.done();
      });
    };
    link(link, 0);
    gate.recv();
    all.wait();
    CHECK(begun == 10);
  });
}

TEST_CASE("a function after a delay is not early", "[chan][timer][TM-05]") {
  in_world(GENERATE(1, 4), [] {
    auto at = make_chan<time_point>(1);
    time_point start = now();
    timer t = after_func(10ms, [at] { at.send(now()); });
    CHECK(at.recv().value() - start >= 10ms);
  });
}

TEST_CASE("a stopped function does not run, a reset one runs again", "[chan][timer][TM-11]") {
  hang_guard guard("a reset function does not run");
  in_world(GENERATE(1, 4), [] {
    auto ran = make_chan<int>(10);
    timer t = after_func(1h, [ran] { ran.send(1); });
    CHECK(t.stop());
    CHECK_FALSE(t.stop());
    CHECK_FALSE(t.reset(1ms));
    ran.recv();
    for (int i = 0; i < 5; ++i) {
      CHECK_FALSE(t.reset(1ms));
      ran.recv();
    }
    CHECK(t.reset(1h) == false);
    CHECK(t.reset(2ms) == true);
    ran.recv();
    sleep(5ms);
    CHECK(ran.len() == 0);
  });
}

TEST_CASE("what a delayed function captured goes with its timer", "[chan][timer][TM-21]") {
  in_world(GENERATE(1, 4), [] {
    auto held = std::make_shared<int>(1);
    {
      timer t = after_func(1h, [held] {});
      t.stop();
    }
    CHECK(held.use_count() == 1);
  });
}

TEST_CASE("a delayed function may stop and reset its own timer", "[chan][timer][TM-26]") {
  hang_guard guard("a delayed function that resets its timer hangs");
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> ran = 0;
    auto done = make_chan<void>(1);
    timer t = after_func(1h, [&, done] {
      t.stop();
      if (++ran < 5) t.reset(100us);
      else done.send();
    });
    t.reset(1ms);
    done.recv();
    CHECK(ran == 5);
  });
}

TEST_CASE("stopping races with the function, and exactly one of them happens", "[chan][timer][TM-10]") {
  hang_guard guard("stop races with the function");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> ran = 0;
    int stopped = 0;
    const int n = scaled(1000);
    for (int i = 0; i < n; ++i) {
      timer t = after_func(std::chrono::microseconds(i % 40), [&] { ++ran; });
      if (i % 2) yield();
      else sleep(std::chrono::microseconds(i % 30));
      if (t.stop()) ++stopped;
      else
        while (ran + stopped <= i) sleep(50us);
    }
    sleep(2ms);
    CHECK(ran + stopped == n);
  });
}

TEST_CASE("an after_func whose timer is dropped runs all the same", "[chan][timer]") {
  hang_guard guard("a dropped timer took its function along");
  in_world(GENERATE(1, 2), [] {
    auto ran = make_chan<int>(1);
    after_func(1ms, [ran] { ran.send(1); });
    CHECK(ran.recv() == 1);
  });
}

TEST_CASE("what an armed after_func holds goes with the world", "[chan][timer]") {
  auto held = std::make_shared<int>(1);
  in_world(GENERATE(1, 2), [held] { after_func(1h, [held] {}); });
  CHECK(held.use_count() == 1);
}
