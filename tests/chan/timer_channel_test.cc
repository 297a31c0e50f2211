// class timer: its channel, stop and reset.
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("reset moves the expiry of a running timer and says so", "[chan][timer][TM-11]") {
  in_world(GENERATE(1, 4), [] {
    time_point start = now();
    timer t(10s);
    CHECK(t.reset(20ms));
    CHECK(t.c().recv().value() - start >= 20ms);
    CHECK(now() - start < 9s);
  });
}

TEST_CASE("reset puts a running timer off", "[chan][timer][TM-11]") {
  in_world(GENERATE(1, 4), [] {
    time_point start = now();
    timer t(60ms);
    if (t.reset(120ms)) {  // false only where the machine held us up
      CHECK(t.c().recv().value() - start >= 120ms);
    }
  });
}

TEST_CASE("reset of an expired timer says so and arms it again", "[chan][timer][TM-11]") {
  in_world(GENERATE(1, 4), [] {
    timer t(1ms);
    t.c().recv();
    for (int i = 0; i < 5; ++i) {
      time_point start = now();
      CHECK_FALSE(t.reset(2ms));
      CHECK(t.c().recv().value() - start >= 2ms);
    }
  });
}

TEST_CASE("stop of a running timer says so, a second stop does not", "[chan][timer][TM-16]") {
  in_world(GENERATE(1, 4), [] {
    timer t(1h);
    CHECK(t.stop());
    CHECK_FALSE(t.stop());
    CHECK_FALSE(t.reset(1h));  // was not running
    CHECK(t.stop());
    timer fired(1ms);
    fired.c().recv();
    CHECK_FALSE(fired.stop());
  });
}

TEST_CASE("a timer made by nobody panics when it is stopped or reset", "[chan][timer][TM-12]") {
  in_world(1, [] {
    auto text = [](auto f) -> std::string {
      try {
        f();
      } catch (const panic& p) {
        return p.what();
      }
      return {};
    };
    timer t;
    CHECK_THAT(text([&] { t.stop(); }), Contains("uninitialized Timer"));
    CHECK_THAT(text([&] { t.reset(1ms); }), Contains("uninitialized Timer"));
  });
}

TEST_CASE("a panic about a timer leaves the others at work", "[chan][timer][TM-26]") {
  hang_guard guard("a panic about a timer left a lock held");
  in_world(GENERATE(1, 4), [] {
    for (int i = 0; i < 10; ++i) {
      timer t;
      CHECK_THROWS_AS(t.stop(), panic);
      CHECK_THROWS_AS(t.reset(1ms), panic);
      CHECK_THROWS_AS(ticker(0ms), panic);
      after(100us).recv();
      sleep(100us);
    }
  });
}

TEST_CASE("a timer whose reset panics, for no world runs, holds no lock", "[chan][timer][TM-26]") {
  hang_guard guard("a reset that panicked left the timer locked");
  timer t;
  run([&t] { t = timer(1h); });
  CHECK_THROWS_AS(t.reset(1ms), panic);
  CHECK_FALSE(t.stop());
}

TEST_CASE("a timer of nothing fires every time", "[chan][timer][TM-13]") {
  hang_guard guard("a timer of zero does not fire");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(20'000); ++i) {
      timer t(duration::zero());
      REQUIRE(t.c().recv().has_value());
    }
  });
}

TEST_CASE("many fibers wait for timers of nothing at once", "[chan][timer][TM-13]") {
  hang_guard guard("a timer of zero does not fire");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> got = 0;
    wait_group all;
    for (int f = 0; f < 16; ++f) {
      all.go([&] {
        for (int i = 0; i < scaled(1000); ++i)
          if (timer(duration::zero()).c().recv()) ++got;
      });
    }
    all.wait();
    CHECK(got == 16 * scaled(1000));
  });
}

TEST_CASE("a stopped timer's functions do not run", "[chan][timer][TM-10]") {
  hang_guard guard("stopping timers hangs");
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> fired = 0;
    std::vector<timer> timers;
    for (int i = 0; i < 100; ++i) timers.push_back(after_func(200ms, [&] { ++fired; }));
    sleep(20ms);
    int too_late = 0;
    for (timer& t : timers) too_late += t.stop() ? 0 : 1;
    sleep(300ms);
    CHECK(fired == too_late);  // none, unless the machine held us up
  });
}

TEST_CASE("timers armed, put off, stopped and brought forward at random fire in the end", "[chan][timer][TM-15]") {
  hang_guard guard("a timer was lost");
  in_world(GENERATE(1, 2, 4, 16), [] {
    wait_group all;
    for (unsigned f = 0; f < 100; ++f) {
      all.go([f] {
        std::mt19937 random(f);
        timer t(1h);
        for (int i = 0; i < scaled(40); ++i) {
          switch (random() % 4) {
            case 0: t.reset(1h); break;
            case 1: t.stop(); break;
            case 2: t.reset(std::chrono::microseconds(random() % 500)); break;
            case 3: sleep(std::chrono::microseconds(random() % 200)); break;
          }
        }
        t.reset(1ms);
        t.c().recv();
      });
    }
    all.wait();
    CHECK(num_fibers() >= 1);
  });
}

TEST_CASE("after a stop no value of before is received", "[chan][timer][TM-16]") {
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      timer t{std::chrono::microseconds(i)};
      if (i % 2 == 0) sleep(std::chrono::microseconds(i / 2));
      else yield();
      t.stop();
      REQUIRE_FALSE(t.c().try_recv().has_value());
    }
    timer t(1ms);
    t.stop();
    sleep(5ms);
    CHECK_FALSE(t.c().try_recv().has_value());
  });
}

TEST_CASE("a stop that keeps an undelivered tick back says so", "[chan][timer][TM-16]") {
  in_world(GENERATE(1, 4), [] {
    timer t(1ms);
    sleep(10ms);
    CHECK(t.stop());
    CHECK_FALSE(t.stop());
    CHECK_FALSE(t.c().try_recv().has_value());
  });
}

TEST_CASE("after a reset no value of before is received", "[chan][timer][TM-16]") {
  in_world(GENERATE(1, 2, 4), [] {
    timer t(1ms);
    sleep(5ms);
    CHECK(t.reset(1h));  // the tick that waited is dropped
    CHECK_FALSE(t.c().try_recv().has_value());
    for (int i = 0; i < scaled(100); ++i) {
      t.reset(std::chrono::microseconds(i));
      sleep(std::chrono::microseconds(i));
      time_point start = now();
      t.reset(200us);
      REQUIRE(t.c().recv().value() - start >= 200us);
    }
  });
}

TEST_CASE("stop and reset race with expiry, and no stale value gets through", "[chan][timer][TM-16]") {
  hang_guard guard("stop races with expiry");
  in_world(GENERATE(2, 4, 16), [] {
    std::atomic<int> stale = 0;
    wait_group all;
    for (int f = 0; f < 8; ++f) {
      all.go([&, f] {
        timer t(1h);
        for (int i = 0; i < scaled(500); ++i) {
          t.reset(std::chrono::microseconds((i * 7 + f) % 60));
          if (i % 3 == 0) sleep(std::chrono::microseconds(i % 50));
          else yield();
          t.stop();
          if (t.c().try_recv()) ++stale;
        }
      });
    }
    all.wait();
    CHECK(stale == 0);
  });
}

TEST_CASE("a fiber that waits for a timer goes on waiting after a stop until a reset", "[chan][timer][TM-16]") {
  hang_guard guard("a waiter was forgotten");
  in_world(GENERATE(1, 2, 4), [] {
    timer t(1h);
    std::atomic<bool> got = false;
    wait_group all;
    all.go([&] {
      t.c().recv();
      got = true;
    });
    sleep(2ms);
    CHECK(t.stop());
    sleep(5ms);
    CHECK_FALSE(got);
    t.reset(1ms);
    all.wait();
    CHECK(got);
  });
}

TEST_CASE("a timer's channel seems to have neither room nor content", "[chan][timer][TM-17]") {
  in_world(GENERATE(1, 4), [] {
    timer t(1ms);
    CHECK(t.c().cap() == 0);
    CHECK(t.c().len() == 0);
    sleep(5ms);
    CHECK(t.c().cap() == 0);
    CHECK(t.c().len() == 0);
    CHECK(t.c().try_recv().has_value());  // a tick that waits is not lost
    CHECK_FALSE(t.c().try_recv().has_value());
  });
}

TEST_CASE("several fibers wait for one timer and one of them gets its tick", "[chan][timer][TM-18]") {
  hang_guard guard("nobody got the tick");
  in_world(GENERATE(1, 2, 4), [] {
    timer t(1h);
    std::atomic<int> got = 0;
    wait_group all;
    for (int i = 0; i < 5; ++i) {
      all.go([&] {
        t.c().recv();
        ++got;
      });
    }
    sleep(2ms);
    for (int i = 1; i <= 5; ++i) {
      t.reset(1ms);
      while (got < i) sleep(100us);
      sleep(1ms);
      CHECK(got == i);
    }
    all.wait();
  });
}

TEST_CASE("a select leaves a timer that it did not choose as it was", "[chan][timer][TM-18]") {
  in_world(GENERATE(1, 4), [] {
    time_point start = now();
    timer t(50ms);
    auto c = make_chan<int>(1);
    for (int i = 0; i < 10; ++i) {
      c.send(i);
      int v = -1;
      REQUIRE(select(recv(t.c()), recv(c, v)) == 1);
      REQUIRE(v == i);
    }
    time_point told;
    REQUIRE(select(recv(c), recv(t.c(), told)) == 1);
    CHECK(told - start >= 50ms);
  });
}

TEST_CASE("a timer nobody waits for costs the world nothing", "[chan][timer][TM-18]") {
  in_world(GENERATE(1, 4), [] {
    std::vector<timer> idle_ones;
    for (int i = 0; i < scaled(10'000); ++i) idle_ones.emplace_back(std::chrono::microseconds(i));
    sleep(20ms);
    int got = 0;
    for (timer& t : idle_ones) got += t.c().try_recv() ? 1 : 0;
    CHECK(got == scaled(10'000));
  });
}

TEST_CASE("a timer's end stops it", "[chan][timer][TM-21]") {
  in_world(GENERATE(1, 4), [] {
    recv_chan<time_point> c;
    {
      timer t(5ms);
      c = t.c();
    }
    sleep(20ms);
    CHECK_FALSE(c.try_recv().has_value());
    for (int i = 0; i < scaled(10'000); ++i) timer far(1h);  // nor is anything left in a heap
  });
}

TEST_CASE("a timer may be moved while it runs", "[chan][timer][TM-21]") {
  in_world(GENERATE(1, 4), [] {
    timer first(2ms);
    auto c = first.c();
    timer second = std::move(first);
    CHECK(c.recv().has_value());
    CHECK_FALSE(second.stop());
    second.reset(1h);
    second = timer(1ms);
    CHECK(second.c().recv().has_value());
    CHECK_FALSE(c.try_recv().has_value());
  });
}

TEST_CASE("timers of the same instant all fire", "[chan][timer][TM-30]") {
  hang_guard guard("a timer of several was lost");
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> fired = 0;
    wait_group all;
    std::vector<timer> timers;
    all.add(200);
    for (int i = 0; i < 200; ++i) {
      timers.push_back(after_func(2ms, [&] {
        ++fired;
        all.done();
      }));
    }
    all.wait();
    CHECK(fired == 200);
  });
}
