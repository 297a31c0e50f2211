// Who is kept waiting on one P, and for how long at most.
#include <atomic>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// A pair that hands a token to and fro until `stop`, each holding it for `units` of work first.
struct pair {
  std::atomic<long> done = 0;

  void start(wait_group& all, int units, const std::atomic<bool>& stop) {
    auto there = make_chan<bool>(), back = make_chan<bool>();
    all.go([=, this, &stop] {
      for (;;) {
        work(units);
        bool over = stop;
        there.send(!over);
        if (over) return;
        if (!back.recv().value()) return;
      }
    });
    all.go([=, this, &stop] {
      for (;;) {
        if (!there.recv().value()) return;
        work(units);
        bool over = stop;
        back.send(!over);
        if (over) return;
      }
    });
  }

 private:
  void work(int units) {
    for (int i = 0; i < units; ++i) done.fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace

TEST_CASE("a pair with long turns and a pair with short ones get like shares of one P", "[sched][order][GO-13]") {
  hang_guard guard("one pair has the P for itself");
  in_world(1, [] {
    std::atomic<bool> stop = false;
    pair slow, quick;
    wait_group all;
    slow.start(all, 100'000, stop);
    quick.start(all, 1'000, stop);
    sleep(sanitized ? 1000ms : 300ms);
    stop = true;
    all.wait();
    CAPTURE(slow.done, quick.done);
    CHECK(slow.done < 20 * quick.done);
    CHECK(quick.done < 20 * slow.done);
  });
}

TEST_CASE("a pair on one P cannot starve a third", "[sched][GO-15]") {
  hang_guard guard("a ping-pong pair starves a third fiber");
  in_world(1, [] {
    for (int i = 0; i < 5; ++i) {
      std::atomic<bool> stop = false;
      wait_group all;
      pair hogs;
      hogs.start(all, 10, stop);
      yield();  // the pair is under way
      all.go([&] {
        yield();
        stop = true;
      });
      all.wait();
      CHECK(hogs.done > 0);
    }
  });
}

TEST_CASE("fibers that start each other on one P cannot starve the global queue", "[sched][GO-15]") {
  hang_guard guard("fibers in the local queue starve one in the global queue");
  in_world(1, [] {
    std::atomic<bool> stop = false;
    wait_group all;
    auto again = [&](auto self) -> void {
      if (!stop) all.go([&, self] { self(self); });
    };
    all.go([&] { again(again); });
    all.go([&] { again(again); });
    yield();  // main waits in the global queue
    stop = true;
    all.wait();
  });
}

TEST_CASE("a function after a delay runs although a pair is always runnable", "[sched][GO-16]") {
  hang_guard guard("a pair starves the timers of its P");
  in_world(GENERATE(1, 2), [] {
    std::atomic<bool> stop = false;
    wait_group all;
    pair hogs;
    hogs.start(all, 10, stop);
    timer t = after_func(1ms, [&] { stop = true; });
    all.wait();
    CHECK(hogs.done > 0);
  });
}

TEST_CASE("a sleeper wakes although fibers yield all the time", "[sched][GO-16]") {
  hang_guard guard("yielding fibers starve the timers of their P");
  in_world(GENERATE(1, 2), [] {
    std::atomic<bool> stop = false;
    wait_group all;
    for (int i = 0; i < 3; ++i) {
      all.go([&] {
        while (!stop) yield();
      });
    }
    sleep(2ms);
    stop = true;
    all.wait();
  });
}
