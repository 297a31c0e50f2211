// Fibers that are runnable run at the same time while a P is idle, whatever else the world does.
#include <sched.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// `n` fibers that hand a baton round by busy waiting, and never call the scheduler.
void pass_baton_round(int n, int rounds) {
  std::atomic<int> turn = 0;
  wait_group all;
  for (int who = 0; who < n; ++who) {
    all.go([&, who] {
      for (int round = 0; round < rounds; ++round) {
        while (turn.load() != round * n + who) sched_yield();
        turn.fetch_add(1);
      }
    });
  }
  all.wait();
}

}  // namespace

TEST_CASE("four fibers that wait busily for each other all run at once on four Ps", "[sched][GO-05]") {
  hang_guard guard("fewer than four fibers ran at once");
  in_world(4, [] {
    for (int i = 0; i < 10; ++i) pass_baton_round(4, scaled(50));
  });
}

TEST_CASE("after the Ms have parked, new fibers still run at once", "[sched][GO-06]") {
  hang_guard guard("a runnable fiber was stranded while a P was idle");
  int procs = GENERATE(2, 4, 16);
  in_world(procs, [procs] {
    for (int i = 0; i < 10; ++i) {
      pass_baton_round(procs, 2);
      sleep(5ms);  // long enough for every M to park
    }
  });
}

TEST_CASE("fibers started by fibers run at once", "[sched][GO-06]") {
  hang_guard guard("a fiber started by a fiber was stranded");
  int procs = GENERATE(2, 4);
  in_world(procs, [procs] {
    for (int i = 0; i < scaled(100); ++i) {
      std::atomic<int> started = 0;
      wait_group all;
      // Each of the chain starts the next and then waits busily until all have begun.
      auto link = [&](auto self, int left) -> void {
        if (left > 1) all.go([&, self, left] { self(self, left - 1); });
        ++started;
        while (started < procs) sched_yield();
      };
      all.go([&] { link(link, procs); });
      all.wait();
    }
  });
}

TEST_CASE("a burst of fibers from one P is spread over the others", "[sched][GO-06]") {
  hang_guard guard("a burst stayed on one P");
  in_world(4, [] {
    for (int i = 0; i < scaled(200); ++i) {
      std::atomic<int> running = 0;
      wait_group all;
      for (int k = 0; k < 4; ++k) {
        all.go([&] {
          ++running;
          while (running < 4) sched_yield();
        });
      }
      all.wait();
    }
  });
}

TEST_CASE("all that a busy fiber has started runs elsewhere", "[sched][GO-06]") {
  // In a fresh world, where most Ms have yet to be made, and in one whose Ms have been at rest.
  bool fresh = GENERATE(true, false);
  int fibers = GENERATE(1, 2, 3);
  for (int i = 0; i < scaled(60); ++i) {
    std::atomic<int> begun = 0;
    std::atomic<bool> late = false;
    in_world(4, [&] {
      if (!fresh) pass_baton_round(4, 2);
      if (!fresh && i % 2 == 0) sleep(2ms);
      wait_group all;
      time_point give_up = now() + 10s;
      auto wait_busily = [&] {
        while (begun < fibers && !late)
          if (now() > give_up) late = true;
      };
      for (int k = 0; k < fibers; ++k) {
        all.go([&] {
          ++begun;
          wait_busily();
        });
      }
      wait_busily();
      all.wait();
    });
    CAPTURE(i, fresh, fibers);
    REQUIRE_FALSE(late);
  }
}

TEST_CASE("sleepers that wake at once on a busy P run on all Ps", "[sched][GO-06][GO-43]") {
  for (int i = 0; i < scaled(40); ++i) {
    std::atomic<int> woke = 0;
    std::atomic<bool> late = false;
    in_world(4, [&] {
      wait_group all;
      time_point at = now() + 3ms, give_up = now() + 10s;
      for (int k = 0; k < 4; ++k) {
        all.go([&] {
          sleep(at - now());
          ++woke;
          while (woke < 4 && !late)
            if (now() > give_up) late = true;
        });
      }
      all.wait();
    });
    CAPTURE(i);
    REQUIRE_FALSE(late);
  }
}

TEST_CASE("a fiber readied by a busy fiber runs elsewhere", "[sched][GO-06]") {
  hang_guard guard("a readied fiber waited for its waker's P");
  in_world(2, [] {
    for (int i = 0; i < scaled(500); ++i) {
      auto c = make_chan<void>(1);
      std::atomic<bool> woken = false;
      go([&, c] {
        c.recv();
        woken = true;
      });
      yield();
      c.send();
      while (!woken) sched_yield();  // never yields the P
    }
  });
}

TEST_CASE("a plain thread that readies a fiber wakes an idle world", "[sched][GO-06]") {
  hang_guard guard("a push from a plain thread was stranded");
  in_world(GENERATE(1, 2, 4), [] {
    auto ping = make_chan<int>(), pong = make_chan<int>();
    const int rounds = scaled(2000);
    std::thread other([=] {
      for (int i = 0; i < rounds; ++i) {
        ping.send(i);
        if (pong.recv() != i) std::abort();
      }
    });
    for (int i = 0; i < rounds; ++i) {
      int got = ping.recv().value();
      pong.send(got);
    }
    blocking([&] { other.join(); });
    CHECK(num_fibers() == 1);
  });
}

TEST_CASE("maxprocs returns the old value and sets the new one", "[sched]") {
  in_world(2, [] {
    CHECK(maxprocs() == 2);
    CHECK(maxprocs(4) == 2);
    CHECK(maxprocs(0) == 4);
    CHECK(maxprocs(1) == 4);
    CHECK(maxprocs() == 1);
  });
}

TEST_CASE("more Ps run more fibers at once from the moment they are there", "[sched]") {
  hang_guard guard("a new P does not run fibers");
  in_world(1, [] {
    maxprocs(4);
    pass_baton_round(4, 10);
    maxprocs(2);
    pass_baton_round(2, 10);
    maxprocs(8);
    pass_baton_round(8, 5);
  });
}

TEST_CASE("two fibers may change maxprocs at once while a third starts itself again and again", "[sched][GO-10]") {
  hang_guard guard("changing maxprocs from two fibers hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<bool> stop = false;
    std::atomic<int> generations = 0;
    wait_group all;
    auto again = [&](auto self) -> void {
      ++generations;
      if (!stop) all.go([&, self] { self(self); });
    };
    all.go([&] { again(again); });
    wait_group changers;
    for (int who = 0; who < 2; ++who) {
      changers.go([who] {
        for (int i = 0; i < scaled(1000); ++i) maxprocs(1 + (i * (3 + who)) % 5);
      });
    }
    changers.wait();
    stop = true;
    all.wait();
    CHECK(generations > 0);
  });
}

TEST_CASE("fibers of a P that is taken away run on those that stay", "[sched][GO-43]") {
  hang_guard guard("the fibers of a removed P were lost");
  in_world(8, [] {
    for (int i = 0; i < scaled(100); ++i) {
      maxprocs(8);
      std::atomic<int> ran = 0;
      wait_group all;
      for (int k = 0; k < 400; ++k) {
        all.go([&] {
          yield();
          ++ran;
        });
      }
      maxprocs(1);
      all.wait();
      REQUIRE(ran == 400);
    }
  });
}

TEST_CASE("timers of a P that is taken away still fire", "[sched][GO-43]") {
  hang_guard guard("the timers of a removed P were lost");
  in_world(8, [] {
    for (int i = 0; i < 10; ++i) {
      maxprocs(8);
      wait_group all;
      for (int k = 0; k < 64; ++k) all.go([k] { sleep(std::chrono::milliseconds(2 + k % 7)); });
      yield();
      maxprocs(1 + i % 3);
      all.wait();
    }
    CHECK(num_fibers() == 1);
  });
}

TEST_CASE("starting, blocking and ending fibers while maxprocs changes strands nobody", "[sched][GO-43]") {
  hang_guard guard("a runnable fiber was stranded while maxprocs changed");
  in_world(4, [] {
    std::atomic<bool> stop = false;
    std::atomic<long> items = 0;
    wait_group changer, workers;
    changer.go([&] {
      for (int n = 1; !stop; n = n % 7 + 1) {
        maxprocs(n);
        sleep(std::chrono::microseconds(200));
      }
    });
    for (int w = 0; w < 8; ++w) {
      workers.go([&] {
        for (int i = 0; i < scaled(2000); ++i) {
          auto c = make_chan<int>();
          go([c, i] { c.send(i); });
          if (i % 64 == 0) sleep(100us);
          if (c.recv() == i) ++items;
        }
      });
    }
    workers.wait();
    stop = true;
    changer.wait();
    CHECK(items == 8L * scaled(2000));
  });
}

TEST_CASE("a world of a thousand Ps starts and ends", "[sched][GO-28]") {
  hang_guard guard("a wide world hangs");
  in_world(sanitized ? 64 : 1024, [] {
    std::atomic<int> ran = 0;
    wait_group all;
    for (int i = 0; i < 100; ++i) all.go([&] { ++ran; });
    all.wait();
    CHECK(ran == 100);
  });
}
