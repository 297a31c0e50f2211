// A schedule ends, and finds what there is, whatever the program waits for: by polling, by a timer,
// or inside another feature.
#include <weft/sim.h>
#include <weft/weft.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

constexpr sim::strategy strategies[] = {sim::strategy::random, sim::strategy::pct, sim::strategy::pos,
                                        sim::strategy::bounded};

// In each strategy.
template <class F>
void check_passes(const F& program, std::size_t schedules = 100) {
  hang_guard guard("a schedule has no end");
  for (const auto how : strategies) {
    const sim::report r = sim::explore({.how = how, .schedules = schedules, .max_steps = 20'000}, program);
    INFO(r);
    CHECK(r.what == sim::verdict::passed);
  }
}

}  // namespace

TEST_CASE("a timer that several fibers reset and stop ends no schedule's progress", "[sim]") {
  check_passes([] {
    const auto t = std::make_shared<timer>(1s);
    wait_group all;
    for (int i = 0; i < 2; ++i) all.go([t] { t->reset(2s); });
    all.go([t] { t->stop(); });
    all.wait();
  });
}

TEST_CASE("branches of a fork may wait for each other, and their races are found", "[sim]") {
  check_passes([] {
    const auto c = make_chan<int>();
    parallel_invoke([&] { c.recv(); }, [&] { c.send(1); });
    parallel_invoke([&] { c.send(1); }, [&] { c.send(2); },
                    [&] {
                      c.recv();
                      c.recv();
                    });
    parallel_for(0, 4, [&](int i) {  // each waits for the next
      if (i % 2 == 0) c.recv();
      else c.send(i);
    });
    sim::require(parallel_reduce(
                     0, 100, 0, [](int i) { return i; }, std::plus<>()) == 4950);
  });
  hang_guard guard("a race of branches");
  for (const auto how : strategies) {
    const sim::report r = sim::explore({.how = how}, [] {
      int n = 0;
      const auto add = [&] {
        const int seen = n;
        sim::point();
        n = seen + 1;
      };
      parallel_invoke(add, add);
      sim::require(n == 2, "both count");
    });
    CHECK(r.what == sim::verdict::failed);
  }
}

TEST_CASE("a schedule that fails inside a fork ends, wherever its branches are", "[sim]") {
  hang_guard guard("a failing fork");
  const auto fails = [](const auto& program) {
    for (const auto how : strategies) {
      const sim::report r = sim::explore({.how = how, .schedules = 200}, program);
      CHECK(r.what == sim::verdict::failed);
      CHECK(sim::replay(r.replay, program).what == sim::verdict::failed);
    }
  };
  fails([] { parallel_for(0, 4, [](int i) { sim::require(i != 0); }); });
  fails([] { parallel_for(0, 9, [](int i) { sim::require(i != 5); }); });
  fails([] {
    wait_group all;
    const auto lock = std::make_shared<mutex>();
    all.go([lock] {
      parallel_for(0, 20, [&](int) { const std::lock_guard hold(*lock); });
      parallel_invoke([&] { const std::lock_guard hold(*lock); }, [&] { yield(); }, [] {});
    });
    all.go([] {
      yield();
      sim::require(false);
    });
    all.wait();
  });
  fails([] {
    sim::require(parallel_reduce(
                     0, 50, 0, [](int i) { return i; },
                     [](int a, int b) {
                       yield();
                       return a + b;
                     }) == 0);
  });
}

TEST_CASE("a branch that yields until another one has run lets it run", "[sim]") {
  check_passes(
      [] {
        const auto flag = std::make_shared<bool>(false);
        parallel_for(0, 3, [&](int i) {
          if (i == 0)
            while (!*flag) yield();
          if (i == 1) *flag = true;
        });
      },
      30);
}

TEST_CASE("a fork of many parts in a simulation has few fibers", "[sim]") {
  hang_guard guard("a large range");
  const sim::report r = sim::run([] {
    std::vector<int> seen(20'000);
    parallel_for(0, 20'000, [&](int i) { ++seen[static_cast<std::size_t>(i)]; });
    for (const int n : seen) sim::require(n == 1);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("what a fiber polls lets another fiber change it", "[sim]") {
  check_passes([] {
    const auto lock = std::make_shared<rw_mutex>();
    const auto done = std::make_shared<bool>(false);
    auto [ctx, cancel] = with_cancel(background());
    wait_group all;
    all.go([lock] {
      const std::lock_guard hold(*lock);
      yield();
    });
    all.go([lock] {
      while (!lock->try_lock_shared()) {
      }
      lock->unlock_shared();
    });
    all.go([ctx = ctx] {
      while (!ctx.err()) {
      }
    });
    all.go([cancel = std::move(cancel)] { cancel(); });
    all.wait();
  });
}

TEST_CASE("a use of a once that was called is a place where another fiber may run", "[sim]") {
  hang_guard guard("a lost update");
  for (const auto how : strategies) {
    const sim::report r = sim::explore({.how = how}, [] {
      const auto init = std::make_shared<once>();
      const auto n = std::make_shared<int>(0);
      init->call([] {});
      wait_group all;
      for (int i = 0; i < 2; ++i)
        all.go([=] {
          const int seen = *n;
          init->call([] {});
          *n = seen + 1;
        });
      all.wait();
      sim::require(*n == 2, "both count");
    });
    CHECK(r.what == sim::verdict::failed);
  }
}

TEST_CASE("a loop of choices is a livelock, also while a failure is made short", "[sim]") {
  hang_guard guard("a loop of choices");
  for (const auto how : strategies) {
    const sim::report r = sim::explore({.how = how, .max_steps = 1'000}, [] {
      std::uint64_t v = 0;
      do v = sim::choose(3);
      while (v == 0);
      sim::require(v != 2, "a two");
    });
    CHECK(r.what == (how == sim::strategy::bounded ? sim::verdict::livelock : sim::verdict::failed));
    const sim::report coin = sim::explore({.how = how, .max_steps = 1'000}, [] {
      while (!sim::maybe("head")) {
      }
    });
    CHECK(coin.what == sim::verdict::livelock);
    CHECK(sim::replay(coin.replay, [] {
            while (!sim::maybe("head")) {
            }
          }).what == sim::verdict::livelock);
  }
  CHECK(sim::run({.max_steps = 1'000}, [] {
          while (sim::choose(1) == 0) {
          }
        }).what == sim::verdict::livelock);
}

TEST_CASE("std::terminate without an exception is a panic", "[sim]") {
  const sim::report r = sim::run([] { std::terminate(); });
  CHECK(r.what == sim::verdict::panic);
  CHECK_THAT(r.message, Contains("std::terminate was called without an exception"));
}

TEST_CASE("tickers without a reader do not end a long sleep", "[sim][BUB-12]") {
  const sim::report r = sim::run([] {
    ticker t(1ms);
    sleep(11s);
    std::vector<recv_chan<time_point>> kept;
    for (int i = 0; i < 11'000; ++i) kept.push_back(after(std::chrono::microseconds(i)));
    bool ran = false;
    after_func(20s, [&] { ran = true; });
    sleep(21s);
    sim::require(ran);
  });
  INFO(r);
  CHECK(r);
  CHECK(r.virtual_time == 32s);
}

TEST_CASE("fibers that only poll let a sleeper wake", "[sim]") {
  check_passes(
      [] {
        const auto done = std::make_shared<bool>(false);
        go([done] {
          sleep(1ms);
          *done = true;
        });
        while (!*done) yield();
        *done = false;
        go([done] {
          sleep(1ms);
          *done = true;
        });
        while (!*done) sim::point();
      },
      10);
}

TEST_CASE("a larger stack, the number of Ps and a main fiber that exits are simulated", "[sim]") {
  check_passes(
      [] {
        const auto deep = [](auto& self, int n) -> int {
          volatile char page[4096];
          page[0] = static_cast<char>(n);
          return n == 0 ? 0 : 1 + self(self, n - 1) + (page[0] - static_cast<char>(n));
        };
        const auto c = make_chan<int>();
        go([c] { c.send(1); });
        sim::require(with_stack(8 << 20, [&] {
                       c.recv();
                       return deep(deep, 1000);
                     }) == 1000);
        try {
          with_stack(1 << 20, [] { throw std::runtime_error("through"); });
          sim::require(false);
        } catch (const std::runtime_error&) {
        }
        const int ps = maxprocs();
        sim::require(ps == num_cpu() && maxprocs(2) == ps && maxprocs() == 2);
      },
      20);
  const sim::report r = sim::run([] {
    go([] { sleep(1s); });
    goexit();
  });
  CHECK(r.what == sim::verdict::deadlock);
  CHECK_THAT(r.message, Contains("main called weft::goexit"));
  CHECK(r.virtual_time == 1s);
}

TEST_CASE("a fiber that catches its own end is left", "[sim]") {
  hang_guard guard("a fiber that swallows its end");
  const auto program = [](auto wait) {
    return [wait] {
      go([wait] {
        for (;;) try {
            wait();
          } catch (...) {
          }
      });
      yield();
    };
  };
  CHECK(sim::run(program([] { sleep(1s); })).what == sim::verdict::leak);
  CHECK(sim::run({.leaks = false}, program([] { sleep(1s); })));
  CHECK(sim::run({.leaks = false}, program([] { yield(); })));
  CHECK(sim::run({.leaks = false}, program([] { sim::point(); })));
  CHECK(sim::run({.leaks = false}, program([] { (void)sim::choose(2); })));
  CHECK(sim::run({.leaks = false}, program([] { chan<int>().recv(); })));
}

TEST_CASE("threads outside use their groups while a simulation runs", "[sim][wait_group]") {
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::thread outside([&] {
    while (!stop) {
      wait_group group;
      group.add(1);
      std::thread other([&] { group.done(); });
      group.wait();
      other.join();
    }
  });
  std::thread counts([&] {
    wait_group group;
    group.add(1);
    std::thread waits([&] {
      group.wait();
      if (!stop) ++wrong;
    });
    while (!stop) {
      group.add(1);
      group.done();
    }
    group.done();
    waits.join();
  });
  CHECK(sim::explore({.schedules = 300}, [] {
    wait_group all;
    for (int i = 0; i < 3; ++i) all.go([] { yield(); });
    all.wait();
  }));
  stop = true;
  outside.join();
  counts.join();
  CHECK(wrong == 0);
}

TEST_CASE("a replay has the steps that its schedule might have", "[sim]") {
  const auto forever = [] {
    for (;;) yield();
  };
  const sim::report r = sim::run({.max_steps = 1'000}, forever);
  REQUIRE(r.what == sim::verdict::livelock);
  const sim::report again = sim::replay(r.replay, forever);
  CHECK(again.what == sim::verdict::livelock);
  CHECK(again.message == r.message);
  CHECK_THROWS_WITH(sim::replay("w1-1-4-0-00000000", forever), Contains("a number of steps expected"));
  CHECK_THROWS_WITH(sim::replay("w1-1-8-00000000", forever), Contains("0 to 7 expected"));
}

TEST_CASE("the clock stands still while fibers hand values on", "[sim][BUB-02]") {
  const sim::report r = sim::run({.max_steps = 2'500}, [] {
    const auto began = now();
    auto [ctx, cancel] = with_timeout(background(), 1h);
    const auto ch = make_chan<int>();
    wait_group g;
    g.go([ch] {
      for (int i = 0; i < 450; ++i) ch.send(i);
    });
    for (int i = 0; i < 450; ++i) ch.recv();
    g.wait();
    sim::require(now() == began && !ctx.err(), "no time has passed");
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a fiber that is locked to its thread runs all branches itself, simulated too", "[sim]") {
  check_passes([] {
    lock_os_thread();
    int n = 0;
    const auto add = [&] {
      const int seen = n;
      sim::point();
      n = seen + 1;
    };
    parallel_invoke(add, add, add);
    parallel_for(0, 4, [&](int) { add(); });
    sim::require(n == 7, "one fiber runs them all");
    unlock_os_thread();
  });
}
