// No fiber that is runnable waits while a P idles, however maxprocs changes. A watchdog looks
// at the world's own books, and a fiber that computes counts on the others to run what it starts.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "tests/sched/work_watch.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// A world that does not run: one P that is busy and one that idles.
struct still_world {
  still_world() {
    for (int i = 0; i < 2; ++i) w->ps[static_cast<std::size_t>(i)].store(&ps[i]);
    w->procs = 2;
    w->ps_made = 2;
    w->idle_ps = 1;
  }
  std::unique_ptr<detail::world> w = std::make_unique<detail::world>();
  detail::P ps[2] = {detail::P(0), detail::P(1)};
  detail::runnable work;
};

// What a watch with a patience of 10 ms finds in looks at 0, 5 and 10 ms.
template <class Between>
std::string found(still_world& still, Between between) {
  work_watch watch(10ms);
  const std::chrono::steady_clock::time_point t0{};
  watch.look(*still.w, t0);
  watch.look(*still.w, t0 + 5ms);
  between();
  return watch.look(*still.w, t0 + 16ms);
}

}  // namespace

TEST_CASE("the watch sees work in a ring that nobody looks for", "[sched][canary][GO-43]") {
  still_world still;
  still.ps[0].queue.push(&still.work);
  CHECK_FALSE(found(still, [] {}).empty());
  CHECK(found(still, [&] { still.w->spinning = 1; }).empty());
  still.w->spinning = 0;
  CHECK(found(still, [&] { still.w->idle_ps = 0; }).empty());
}

TEST_CASE("the watch sees work in the global queue that nobody looks for", "[sched][canary][GO-43]") {
  still_world still;
  still.w->global_size = 1;
  CHECK_FALSE(found(still, [] {}).empty());
  CHECK(found(still, [&] { still.w->global_size = 0; }).empty());
}

TEST_CASE("the watch sees a next slot that is not emptied", "[sched][canary][GO-43]") {
  still_world still;
  still.ps[0].queue.exchange_next(&still.work);
  CHECK_FALSE(found(still, [] {}).empty());
  CHECK(found(still, [&] { still.ps[0].turn = 7; }).empty());
}

TEST_CASE("no work lies about while fibers start, block, compute and end and maxprocs changes", "[sched][GO-43]") {
  hang_guard guard("work was stranded while maxprocs changed");
  constexpr int rounds = scaled(600);
  in_world(4, [] {
    auto dog = std::make_unique<work_watchdog>();
    std::atomic<bool> stop = false;
    wait_group changer, workers;
    changer.go([&] {
      for (int n = 1; !stop; n = n % 7 + 1) {
        maxprocs(n);
        sleep(std::chrono::microseconds(300));
      }
    });
    for (int w = 0; w < 6; ++w) {
      workers.go([&, w] {
        auto c = make_chan<int>();
        for (int i = 0; i < rounds; ++i) {
          go([c, i] { c.send(i); });
          if (i % 16 == w) sleep(50us);
          if (i % 32 == w) blocking([] { std::this_thread::sleep_for(50us); });
          if (i % 8 == w)
            for (const time_point until = now() + 100us; now() < until;) {
            }
          if (i % 4 == w) yield();
          c.recv();
        }
      });
    }
    workers.wait();
    stop = true;
    changer.wait();
    blocking([&] { dog.reset(); });
  });
}

TEST_CASE("what a computing fiber has started runs elsewhere while maxprocs changes", "[sched][GO-43]") {
  hang_guard guard("what a computing fiber had started was stranded while maxprocs changed");
  constexpr int rounds = scaled(400);
  in_world(6, [] {
    auto dog = std::make_unique<work_watchdog>();
    std::atomic<bool> stop = false;
    wait_group changer;
    changer.go([&] {
      for (int n = 2; !stop; n = n % 6 + 2) {  // 2 to 7: never only the computing fiber's
        maxprocs(n);
        sleep(std::chrono::microseconds(200));
      }
    });
    for (int i = 0; i < rounds; ++i) {
      std::atomic<int> ran = 0;
      const int started = 1 + i % 3;
      wait_group all;
      for (int k = 0; k < started; ++k) all.go([&] { ++ran; });
      while (ran < started) sched_yield();  // computes: the world learns nothing of it
      all.wait();
    }
    stop = true;
    changer.wait();
    blocking([&] { dog.reset(); });
  });
}

TEST_CASE("what a computing fiber has on a P that is over runs elsewhere", "[sched][GO-43]") {
  hang_guard guard("work of a P that is over was stranded");
  const bool sleeps = GENERATE(false, true);
  for (int i = 0; i < scaled(60); ++i) {
    in_world(4, [sleeps] {
      std::atomic<int> up = 0;
      std::atomic<bool> shrunk = false;
      wait_group all;
      for (int k = 0; k < 4; ++k)
        all.go([&, k] {
          ++up;
          while (up < 4) sched_yield();  // each on a P of its own, as a rule
          if (k == 0) {
            maxprocs(2);
            shrunk = true;
            return;
          }
          while (!shrunk) sched_yield();
          std::atomic<bool> ran = false;
          all.go([&] {
            if (sleeps) sleep(1ms);
            ran = true;
          });
          while (!ran) sched_yield();  // computes, on a P that no longer exists
        });
      all.wait();
    });
  }
}

TEST_CASE("a timer of a P that is over fires although its fiber blocks", "[sched][GO-43]") {
  hang_guard guard("a timer of a P that is over was lost");
  const int left = GENERATE(1, 2);
  for (int i = 0; i < scaled(60); ++i) {
    in_world(4, [left] {
      std::atomic<int> up = 0;
      std::atomic<bool> shrunk = false;
      wait_group all;
      for (int k = 0; k < 4; ++k)
        all.go([&, k] {
          ++up;
          while (up < 4) sched_yield();  // each on a P of its own, as a rule
          if (k == 0) {
            maxprocs(left);
            shrunk = true;
            return;
          }
          while (!shrunk) sched_yield();
          std::atomic<bool> fired = false;
          timer t = after_func(2ms, [&] { fired = true; });
          blocking([&] {
            while (!fired) std::this_thread::sleep_for(500us);
          });
        });
      all.wait();
    });
  }
}

TEST_CASE("fibers that only make short system calls do not starve a sleeper on one P", "[sched][GO-11]") {
  hang_guard guard("fibers in short calls starve a sleeper");
  in_world(1, [] {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"), std::fclose);
    const int fd = fileno(nowhere.get());
    std::atomic<bool> stop = false;
    std::atomic<long> writes = 0;
    wait_group all;
    for (int i = 0; i < 2; ++i)
      all.go([&] {
        while (!stop) writes += blocking([fd] { return write(fd, "x", 1); });
      });
    sleep(10ms);
    stop = true;
    all.wait();
    CHECK(writes > 0);
  });
}

TEST_CASE("a fiber that is woken goes first when its waker yields at once", "[sched][order][GO-42]") {
  hang_guard guard("a hand-over hangs");
  const int procs = GENERATE(1, 2, 4);
  in_world(procs, [procs] {
    const int rounds = scaled(10'000);
    int waiter_first = 0;
    for (int i = 0; i < rounds; ++i) {
      std::atomic<int> first = 0;
      const auto come = [&first](int who) {
        int nobody = 0;
        first.compare_exchange_strong(nobody, who);
      };
      auto c = make_chan<void>(), done = make_chan<void>(1);
      go([&, c, done] {
        c.recv();
        come(1);
        done.send();
      });
      while (!c.try_send()) yield();  // until it waits
      yield();
      come(2);
      done.recv();
      waiter_first += first == 1 ? 1 : 0;
    }
    // With more Ps one that has nothing to do may take the waiter, if this thread is held up on its
    // way to yield(). A sanitizer holds it up longer than thieves are patient.
    if (procs == 1 || !(detail::under_tsan || detail::under_asan)) CHECK(waiter_first >= rounds * 2 / 3);
    else CHECK(waiter_first > 0);
  });
}
