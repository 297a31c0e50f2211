// The clock of a simulation and what a bubble of Go's testing/synctest promises.
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/go.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/timer.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>

using namespace std::chrono_literals;
using weft::sim::report;
using weft::sim::require;
using weft::sim::run;
using weft::sim::verdict;

TEST_CASE("the clock of a simulation begins in the year 2000 and moves by sleeping alone", "[sim][BUB-01][BUB-02]") {
  const auto real = std::chrono::steady_clock::now();
  const report r = run([] {
    const auto began = weft::now();
    require(began.time_since_epoch() == 946'684'800s);
    weft::sleep(2h);
    require(weft::now() - began == 2h);
  });
  INFO(r);
  CHECK(r);
  CHECK(r.virtual_time == 2h);
  CHECK(std::chrono::steady_clock::now() - real < 1h);
}

TEST_CASE("wait returns when all others wait, in a chain of 100 fibers too", "[sim][BUB-03]") {
  const report r = run([] {
    auto deepest = std::make_shared<int>(0);
    auto never = weft::make_chan<int>();
    struct chain {
      static void start(int n, std::shared_ptr<int> deepest, weft::chan<int> never) {
        weft::go([n, deepest, never] {
          *deepest = n;
          if (n < 100) start(n + 1, deepest, never);
          never.recv();
        });
      }
    };
    chain::start(1, deepest, never);
    weft::sim::wait();
    require(*deepest == 100);
    never.close();
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a timer fires at its nominal instant and time.After_func runs in the simulation", "[sim][BUB-05][BUB-06]") {
  const report r = run([] {
    const auto began = weft::now();
    weft::timer t(3s);
    weft::sleep(1s);
    t.reset(5s);
    const auto at = t.c().recv();
    require(at.has_value() && *at - began == 6s);
    auto done = weft::make_chan<void>();
    weft::after_func(1s, [done] { weft::go([done] { done.close(); }); });
    done.recv();
    require(weft::now() - began == 7s);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a tick is the nominal time, read before or after its deadline", "[sim][BUB-05]") {
  const report r = run([] {
    const auto began = weft::now();
    weft::timer early(2s), late(2s);
    require(*early.c().recv() - began == 2s);
    require(weft::now() - began == 2s);
    weft::sleep(3s);
    require(*late.c().recv() - began == 2s);
    weft::ticker every(2s);
    weft::sleep(7s);  // three ticks: the first is kept
    require(*every.c().recv() - began == 7s);
    require(*every.c().recv() - began == 13s);
    require(weft::now() - began == 13s);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a reset counts from its own instant: armed, fired, stopped, and of a ticker", "[sim][BUB-05]") {
  const report r = run([] {
    const auto began = weft::now();
    weft::timer t(10s);
    weft::sleep(1s);
    require(t.reset(3s), "it was armed");
    require(*t.c().recv() - began == 4s);
    require(!t.reset(3s), "it had fired");
    weft::sleep(1s);
    require(t.stop());
    weft::sleep(5s);
    require(!t.reset(250ms), "it was stopped");
    require(*t.c().recv() - began == 10'250ms);
    weft::ticker every(1s);
    weft::sleep(750ms);
    every.reset(2s);
    require(*every.c().recv() - began == 13s);
    require(*every.c().recv() - began == 15s);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("after the main fiber has returned time stops, and the run waits for the other fibers", "[sim][BUB-07]") {
  bool fired = false;
  int ran = 0;
  weft::timer kept;
  const report r = run([&] {
    kept = weft::after_func(1s, [&fired] { fired = true; });
    weft::go([&ran] {
      const auto began = weft::now();
      for (int i = 0; i < 10; ++i) weft::yield();
      ran += weft::now() == began;
    });
  });
  INFO(r);
  CHECK(r);
  CHECK(r.virtual_time == 0s);
  CHECK_FALSE(fired);
  CHECK(ran == 2);  // the one schedule is run twice
}

TEST_CASE("after the main fiber has returned no timer fires, and who waits for one is a leak",
          "[sim][BUB-07][BUB-13]") {
  const report r = run([] { weft::go([] { weft::sleep(1s); }); });
  CHECK(r.what == verdict::leak);
}

TEST_CASE("a timer of no length runs without waiting for the simulation to stand still", "[sim][BUB-08]") {
  const report r = run([] {
    auto ran = std::make_shared<bool>(false);
    weft::after_func(0s, [ran] { *ran = true; });
    weft::yield();
    weft::yield();
    require(*ran);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("all fibers asleep is a deadlock that names who waits", "[sim][BUB-12]") {
  const report r = run([] { weft::make_chan<int>().recv(); });
  CHECK(r.what == verdict::deadlock);
  CHECK(r.message.find("chan receive") != std::string::npos);
}

TEST_CASE("a ticker that nobody reads keeps nobody alive", "[sim][BUB-12]") {
  const report r = run([] {
    weft::ticker t(1s);
    weft::make_chan<int>().recv();
  });
  CHECK(r.what == verdict::deadlock);
}

TEST_CASE("a context's deadline is the simulation's", "[sim]") {
  const report r = run([] {
    auto [ctx, cancel] = weft::with_timeout(weft::background(), 5s);
    const auto began = weft::now();
    require(weft::make_chan<int>().recv(ctx).err == weft::errc::deadline_exceeded);
    require(weft::now() - began == 5s);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("wait outside a simulation and from two fibers is refused", "[sim][BUB-20]") {
  CHECK_THROWS_AS(weft::sim::wait(), weft::panic);
  const report r = run([] {
    weft::go([] { weft::sim::wait(); });
    weft::go([] { weft::sim::wait(); });
    weft::sleep(1s);
  });
  CHECK(r.what == verdict::panic);
}

TEST_CASE("simulations do not nest, and none runs inside a world nor a world inside one", "[sim][BUB-20]") {
  const report r = run([] { run([] {}); });
  CHECK(r.what == verdict::panic);
  const report world_inside = run([] { weft::run([] {}); });
  CHECK(world_inside.what == verdict::panic);
  weft::run([] { CHECK_THROWS_AS(run([] {}), weft::panic); });
}

TEST_CASE("what a fiber has written is read after wait and after the run", "[sim][BUB-17]") {
  int by_end = 0;
  const report r = run([&by_end] {
    int by_wait = 0;  // no atomic: the order is that of wait()
    const auto go_on = weft::make_chan<void>();
    weft::go([&by_wait, &by_end, go_on] {
      by_wait = 1;
      go_on.recv();
      by_wait = 2;
      weft::go([&by_end] { ++by_end; });
    });
    weft::sim::wait();
    require(by_wait == 1);
    go_on.send();
    weft::sim::wait();
    require(by_wait == 2);
    weft::after_func(1s, [&by_wait] { by_wait = 3; });
    weft::sleep(1s);
    weft::sim::wait();
    require(by_wait == 3);
    weft::go([&by_end] { ++by_end; });
  });
  INFO(r);
  CHECK(r);
  CHECK(by_end == 4);  // the one schedule is run twice
}

TEST_CASE("sleep and wait: all that an instant wakes has run", "[sim][BUB-21]") {
  const report r = weft::sim::explore({.seed = 1, .schedules = 50}, [] {
    auto done = std::make_shared<int>(0);
    for (int i = 0; i < 3; ++i)
      weft::go([done] {
        weft::sleep(1s);
        weft::yield();
        ++*done;
      });
    weft::sleep(1s);
    weft::sim::wait();
    require(*done == 3);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a section of a test is a run of its own", "[sim][BUB-21]") {
  const auto check = [](auto program) {
    const report r = run(program);
    INFO(r);
    CHECK(r);
    CHECK(r.virtual_time == 1s);
  };
  SECTION("one") {
    check([] { weft::sleep(1s); });
  }
  SECTION("another") {
    check([] { weft::after(1s).recv(); });
  }
}
