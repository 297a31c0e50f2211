// sleep and after: how long they wait, and how they disturb each other.
#include <signal.h>
#include <unistd.h>

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

// Sends the process a harmless signal each half millisecond; its handler does not restart calls.
class signal_rain {
 public:
  signal_rain() {
    struct sigaction quiet {};
    quiet.sa_handler = [](int) {};
    sigaction(SIGUSR2, &quiet, &before_);
    thread_ = std::thread([this] {
      while (!stop_) {
        kill(getpid(), SIGUSR2);
        std::this_thread::sleep_for(500us);
      }
    });
  }
  ~signal_rain() {
    stop_ = true;
    thread_.join();
    sigaction(SIGUSR2, &before_, nullptr);
  }

 private:
  struct sigaction before_ {};
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a sleep does not end early although signals arrive", "[chan][timer][TM-01]") {
  signal_rain rain;
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> early = 0;
    wait_group all;
    for (int ms : {1, 5, 20, 50}) {
      all.go([&early, ms] {
        time_point start = now();
        sleep(std::chrono::milliseconds(ms));
        if (now() - start < std::chrono::milliseconds(ms)) ++early;
      });
    }
    all.wait();
    CHECK(early == 0);
  });
}

TEST_CASE("a short sleep of an idle world is not early", "[chan][timer][TM-01][TM-31]") {
  in_world(GENERATE(1, 4), [] {
    int early = 0;
    for (auto d : {10us, 50us, 100us}) {
      for (int i = 0; i < scaled(100); ++i) {
        time_point start = now();
        sleep(d);
        early += now() - start < d ? 1 : 0;
      }
    }
    CHECK(early == 0);
  });
}

TEST_CASE("a sleep of nothing or less returns at once", "[chan][timer][TM-02]") {
  hang_guard guard("a sleep of zero hangs");
  in_world(GENERATE(1, 2, 4), [] {
    sleep(duration::zero());
    sleep(-1ns);
    sleep(-1h);
    sleep(duration::min());
    CHECK(num_fibers() == 1);
  });
}

TEST_CASE("sleeps of nothing in a loop come through while maxprocs changes", "[chan][timer][TM-02]") {
  hang_guard guard("a sleep of zero hangs while maxprocs changes");
  in_world(4, [] {
    std::atomic<bool> stop = false;
    wait_group changer, sleepers;
    changer.go([&] {
      for (int n = 1; !stop; n = n % 4 + 1) {
        maxprocs(n);
        yield();
      }
    });
    for (int i = 0; i < 4; ++i) {
      sleepers.go([] {
        for (int k = 0; k < scaled(5000); ++k) sleep(duration::zero());
      });
    }
    sleepers.wait();
    stop = true;
    changer.wait();
  });
}

TEST_CASE("the longest duration never ends and disturbs no other timer", "[chan][timer][TM-03]") {
  hang_guard guard("an endless timer disturbs the others");
  static std::atomic<bool> woke;
  woke = false;
  in_leaky_world(GENERATE(1, 4), [] {
    go([] {
      sleep(duration::max());
      woke = true;
    });
    auto far = after(duration::max());
    timer endless(duration::max());
    for (int i = 0; i < 10; ++i) sleep(2ms);
    CHECK(after(3ms).recv().has_value());
    CHECK_FALSE(woke);
    CHECK_FALSE(far.try_recv().has_value());
    CHECK_FALSE(endless.c().try_recv().has_value());
    CHECK(endless.stop());
  });
  CHECK_FALSE(woke);
}

TEST_CASE("the most negative duration is over at once", "[chan][timer][TM-03]") {
  hang_guard guard("a timer of a negative duration does not fire");
  in_world(GENERATE(1, 4), [] {
    CHECK(after(duration::min()).recv().has_value());
    CHECK(after(-5s).recv().has_value());
    timer t(duration::min());
    CHECK(t.c().recv().has_value());
  });
}

TEST_CASE("after is not early and says when it fired", "[chan][timer][TM-06]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (auto d : {1ms, 10ms, 30ms}) {
      time_point start = now();
      time_point told = after(d).recv().value();
      time_point end = now();
      CHECK(end - start >= d);
      CHECK(told - start >= d);
      CHECK(told <= end);
    }
  });
}

TEST_CASE("waits in a row add up", "[chan][timer][TM-07]") {
  in_world(GENERATE(1, 4), [] {
    time_point start = now();
    for (int i = 0; i < 10; ++i) after(10ms).recv();
    CHECK(now() - start >= 100ms);
  });
}

TEST_CASE("timers fire in the order in which they are due", "[chan][timer][TM-08]") {
  in_world(GENERATE(1, 4), [] {
    // Several attempts, each slower: on a machine that delays a thread, two Ps may disagree about
    // the time.
    bool in_order = false;
    for (auto slot = 5ms; slot < 200ms && !in_order; slot *= 2) {
      const std::vector<int> slots{5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
      std::vector<time_point> told(slots.size());
      std::atomic<int> early = 0;
      wait_group all;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        all.go([&, i] {
          time_point start = now();
          told[i] = after(slots[i] * slot).recv().value();
          if (told[i] - start < slots[i] * slot) ++early;
        });
      }
      all.wait();
      REQUIRE(early == 0);
      in_order = true;
      for (std::size_t i = 0; i < slots.size(); ++i)
        for (std::size_t k = 0; k < slots.size(); ++k)
          in_order = in_order && (slots[i] >= slots[k] || told[i] <= told[k]);
    }
    CHECK(in_order);
  });
}

TEST_CASE("a late reader still learns when the timer fired", "[chan][timer][TM-20]") {
  in_world(GENERATE(1, 4), [] {
    time_point start = now();
    auto once = after(10ms);
    ticker often(10ms);
    sleep(500ms);
    CHECK(once.recv().value() - start < 400ms);
    CHECK(often.c().recv().value() - start < 400ms);
  });
}

TEST_CASE("a thousand fibers sleep at once and none is early", "[chan][timer][TM-01]") {
  hang_guard guard("sleepers do not wake");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> early = 0, woke = 0;
    wait_group all;
    const int n = scaled(10'000);
    for (int i = 0; i < n; ++i) {
      all.go([&, i] {
        auto d = std::chrono::microseconds(i * 37 % 20'000);
        time_point start = now();
        sleep(d);
        if (now() - start < d) ++early;
        ++woke;
      });
    }
    all.wait();
    CHECK(early == 0);
    CHECK(woke == n);
  });
}

TEST_CASE("a timer of a busy P is served by another", "[chan][timer][TM-27]") {
  hang_guard guard("nobody serves the timer of a busy P");
  in_world(GENERATE(2, 4), [] {
    for (int i = 0; i < 20; ++i) {
      std::atomic<bool> fired = false;
      timer t = after_func(1ms, [&] { fired = true; });
      while (!fired) {
      }  // this P never gets to its timers
    }
  });
}

TEST_CASE("a timer of a busy P is served although the other timers' fibers are busy, too", "[chan][timer][TM-27]") {
  hang_guard guard("nobody serves the timer of a busy P");
  in_world(3, [] {
    for (int i = 0; i < 5; ++i) {
      std::atomic<bool> fired = false, sleeping = false, late = false;
      std::atomic<int> warm = 0;
      wait_group all;
      for (int k = 0; k < 3; ++k) {  // all Ms are there
        all.go([&] {
          ++warm;
          while (warm < 3) {
          }
        });
      }
      all.wait();
      time_point give_up = now() + 5s;
      auto hog = [&] {
        while (!fired && !late)
          if (now() > give_up) late = true;
      };
      all.go([&] {
        sleeping = true;
        sleep(20ms);
        hog();
      });
      while (!sleeping) {
      }  // on another P, that is
      timer t = after_func(60ms, [&] { fired = true; });
      hog();
      all.wait();
      CHECK_FALSE(late);
      if (late) break;
    }
  });
}

TEST_CASE("an earlier timer shortens the sleep for a later one", "[chan][timer][TM-28]") {
  hang_guard guard("an idle thread sleeps past a new timer", 60s);
  in_leaky_world(GENERATE(2, 4), [] {
    go([] { sleep(1h); });
    sleep(20ms);  // an M sleeps for that hour
    for (int i = 0; i < 10; ++i) {
      std::atomic<bool> fired = false;
      timer t = after_func(std::chrono::milliseconds(10 - i), [&] { fired = true; });
      while (!fired) {
      }
    }
  });
}

TEST_CASE("a timer set by a plain thread wakes an idle world in time", "[chan][timer][TM-28]") {
  hang_guard guard("an idle world sleeps past a timer of a plain thread", 60s);
  in_leaky_world(GENERATE(1, 4), [] {
    go([] { sleep(1h); });
    auto fired = make_chan<void>(1);
    std::thread other([&] {
      std::this_thread::sleep_for(20ms);
      timer t = after_func(5ms, [fired] { fired.send(); });
      std::this_thread::sleep_for(20ms);
      after(5ms).recv();
      fired.recv();
    });
    blocking([&] { other.join(); });
    CHECK(num_fibers() == 2);
  });
}

TEST_CASE("a plain thread may sleep and wait for a timer outside of any world's fibers", "[chan][timer]") {
  in_world(2, [] {
    bool early = false, got = false;
    std::thread other([&] {
      time_point start = now();
      sleep(5ms);
      early = now() - start < 5ms;
      got = after(5ms).recv().has_value();
    });
    blocking([&] { other.join(); });
    CHECK_FALSE(early);
    CHECK(got);
  });
}
