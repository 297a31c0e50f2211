#include <atomic>
#include <string>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("stopping a ticker that was never started does nothing", "[chan][ticker]") {
  ticker t;
  t.stop();
  in_world(1, [&] {
    t.stop();
    t = ticker(1h);
    ticker moved = std::move(t);
    moved.stop();
    moved.stop();
  });
}

TEST_CASE("a ticker ticks no faster than it was told, also after a reset", "[chan][ticker][TM-22]") {
  hang_guard guard("a ticker does not tick");
  in_world(GENERATE(1, 2, 4), [] {
    time_point start = now();
    ticker t(4ms);
    for (int i = 0; i < 5; ++i) t.c().recv();
    CHECK(now() - start >= 20ms);
    start = now();
    t.reset(8ms);
    for (int i = 0; i < 5; ++i) t.c().recv();
    CHECK(now() - start >= 40ms);
  });
}

TEST_CASE("a stopped ticker ticks no more", "[chan][ticker][TM-22]") {
  in_world(GENERATE(1, 4), [] {
    ticker t(1ms);
    t.c().recv();
    sleep(3ms);  // a tick waits
    t.stop();
    CHECK_FALSE(t.c().try_recv().has_value());
    sleep(10ms);
    CHECK_FALSE(t.c().try_recv().has_value());
    t.reset(1ms);  // and ticks again after reset
    CHECK(t.c().recv().has_value());
  });
}

TEST_CASE("a slow reader misses ticks instead of finding a heap of them", "[chan][ticker][TM-22]") {
  in_world(GENERATE(1, 4), [] {
    ticker t(2ms);
    sleep(50ms);
    int waiting = 0;
    while (t.c().try_recv() && waiting < 10) ++waiting;
    CHECK(waiting >= 1);
    CHECK(waiting <= 3);  // one tick that waited, and the ticks since
  });
}

TEST_CASE("a ticker of nothing or less panics and names the value", "[chan][ticker][TM-23]") {
  in_world(1, [] {
    auto text = [](auto f) -> std::string {
      try {
        f();
      } catch (const panic& p) {
        return p.what();
      }
      return {};
    };
    CHECK_THAT(text([] { ticker t(-7ns); }), Contains("-7"));
    CHECK_THAT(text([] { ticker t(duration::zero()); }), Contains("0"));
    ticker t(1h);
    CHECK_THAT(text([&] { t.reset(-9ns); }), Contains("-9"));
    CHECK_THAT(text([&] { t.reset(duration::zero()); }), Contains("0"));
  });
}

TEST_CASE("a ticker goes on after a reset that panicked", "[chan][ticker][TM-23][TM-26]") {
  hang_guard guard("a ticker does not tick after a panic");
  in_world(GENERATE(1, 4), [] {
    ticker t(1ms);
    CHECK_THROWS_AS(t.reset(-1ns), panic);
    CHECK(t.c().recv().has_value());
  });
}

TEST_CASE("ten fibers share a ticker of a nanosecond while maxprocs changes", "[chan][ticker][TM-25]") {
  hang_guard guard("a busy ticker starves its readers");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<bool> stop = false;
    std::atomic<int> ticks = 0;
    wait_group changer, readers;
    ticker t(1ns);
    changer.go([&] {
      for (int n = 1; !stop; n = n % 5 + 1) {
        maxprocs(n);
        sleep(100us);
      }
    });
    for (int i = 0; i < 10; ++i) {
      readers.go([&] {
        for (int k = 0; k < 100; ++k)
          if (t.c().recv()) ++ticks;
      });
    }
    readers.wait();
    stop = true;
    changer.wait();
    CHECK(ticks == 1000);
  });
}

TEST_CASE("a ticker's end stops it", "[chan][ticker][TM-21]") {
  in_world(GENERATE(1, 4), [] {
    recv_chan<time_point> c;
    {
      ticker t(1ms);
      c = t.c();
      c.recv();
    }
    sleep(5ms);
    CHECK_FALSE(c.try_recv().has_value());
  });
}

TEST_CASE("two tickers keep their own pace", "[chan][ticker][TM-22]") {
  hang_guard guard("a ticker does not tick");
  in_world(GENERATE(1, 2, 4), [] {
    time_point start = now();
    ticker slow(10ms), quick(1ms);
    int slow_ticks = 0, quick_ticks = 0;
    while (slow_ticks < 3) {
      if (select(recv(slow.c()), recv(quick.c())) == 0) ++slow_ticks;
      else ++quick_ticks;
    }
    CHECK(now() - start >= 30ms);
    CHECK(quick_ticks >= 1);
    CHECK(quick_ticks <= (now() - start) / 1ms + 1);
  });
}
