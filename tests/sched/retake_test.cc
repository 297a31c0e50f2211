// Fibers that block or compute unannounced: the others continue, with any number of Ps.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// A pipe that is read by an unannounced system call.
class gate {
 public:
  gate() { REQUIRE(pipe(ends_.data()) == 0); }
  ~gate() {
    close(ends_[0]);
    close(ends_[1]);
  }
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  void wait() const {
    char c = 0;
    while (read(ends_[0], &c, 1) != 1) {
    }
  }
  void open(int times = 1) const {
    for (; times > 0; --times) FACT(write(ends_[1], "x", 1) == 1);
  }

 private:
  std::array<int, 2> ends_{};
};

// Blocks until another fiber has run: on one P, for which there is no other, the caller has lost
// that then.
void lose_p() {
  gate g;
  go([&] { g.open(); });
  g.wait();
}

}  // namespace

TEST_CASE("a fiber in a blocking read holds nobody up", "[sched][retake]") {
  hang_guard guard("a blocking read holds up the fiber that would end it");
  in_world(GENERATE(1, 2, 4), [] {
    gate g;
    wait_group all;
    const int readers = maxprocs() + 4;
    std::atomic<int> in = 0;
    for (int i = 0; i < readers; ++i)
      all.go([&] {
        ++in;
        g.wait();
      });
    while (in < readers) yield();  // comes back only with a P that one of them had
    g.open(readers);
    all.wait();
  });
  report_broken_fact();
}

TEST_CASE("a fiber that computes without a call lets the others run", "[sched][retake][GO-07][GO-08]") {
  hang_guard guard("a loop without calls is never preempted");
  in_world(GENERATE(1, 2), [] {
    std::atomic<int> turn = 0;
    wait_group all;
    const int spinners = maxprocs() + 2;
    for (int me = 0; me < spinners; ++me)
      all.go([&, me] {
        for (int round = 0; round < 2; ++round) {
          while (turn.load(std::memory_order_relaxed) % spinners != me) {
          }
          turn.fetch_add(1, std::memory_order_relaxed);
        }
      });
    all.wait();
    CHECK(turn == 2 * spinners);
  });
}

TEST_CASE("more fibers than Ps, all in loops of short system calls, are all started and stopped",
          "[sched][retake][GO-12]") {
  hang_guard guard("loops of short system calls keep the Ps");
  in_world(2, [] {
    for (const useconds_t us : {10u, 100u, 1000u}) {
      constexpr int fibers = 8;
      std::atomic<int> started = 0;
      std::atomic<bool> over = false;
      wait_group all;
      for (int i = 0; i < fibers; ++i)
        all.go([&] {
          ++started;
          while (!over) usleep(us);
        });
      while (started < fibers) sleep(1ms);
      over = true;
      all.wait();
    }
  });
}

TEST_CASE("a std::mutex that a thread holds, waited for by a fiber, holds nobody up", "[sched][retake]") {
  hang_guard guard("a fiber that waits for a std::mutex holds up the one that would get it freed");
  in_world(1, [] {
    std::mutex held;
    auto let_go = make_chan<void>(), has_it = make_chan<void>();
    std::thread holder([&] {
      const std::lock_guard hold(held);
      has_it.send();
      let_go.recv();
    });
    has_it.recv();
    wait_group all;
    all.go([&] {
      all.go([&] { let_go.send(); });
      const std::lock_guard hold(held);
    });
    all.wait();
    holder.join();
  });
}

TEST_CASE("timers fire while the only P's fiber sleeps in the kernel", "[sched][retake]") {
  hang_guard guard("a timer waits for a fiber that sleeps in the kernel");
  in_world(1, [] {
    gate g;
    const timer opener = after_func(5ms, [&] { g.open(); });
    g.wait();
  });
  report_broken_fact();
}

// The monitor, that is, which looks seldom while it only tidies up, is woken. On a busy machine it
// may be late: not each time.
TEST_CASE("a fiber that blocks after the world has rested a while holds nobody up", "[sched][retake][order]") {
  hang_guard guard("a blocking call after a rest");
  in_world(1, [] {
    const auto rounds_in_time = [] {
      int in_time = 0;
      for (int i = 0; i < 10; ++i) {
        wait_group crowd;  // leaves stacks to tidy up
        for (int k = 0; k < 100; ++k) crowd.go([] { sleep(100us); });
        crowd.wait();
        sleep(40ms);
        std::atomic<bool> ran = false;
        go([&] { ran = true; });
        const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
        nanosleep(&pause, nullptr);
        in_time += ran;
        while (!ran) yield();
      }
      return in_time;
    };
    int most = 0;
    for (int i = 0; i < 20 && most < 8; ++i) most = std::max(most, rounds_in_time());
    CHECK(most >= 8);
  });
}

TEST_CASE("what a plain thread sends is received while the only P's fiber blocks", "[sched][retake]") {
  hang_guard guard("a value sent from outside waits for a fiber that blocks");
  in_world(1, [] {
    gate g;
    auto c = make_chan<int>();
    go([&, c] {
      FACT(c.recv() == 7);
      g.open();
    });
    yield();
    std::thread outside([c] { c.send(7); });
    g.wait();
    outside.join();
  });
  report_broken_fact();
}

// What a fiber may do first when its P has gone.
struct first_call {
  const char* name;
  std::function<void()> f;
};

TEST_CASE("whatever a fiber calls first without its P, it does as ever", "[sched][retake]") {
  hang_guard guard("a first call without a P hangs");
  const int procs = GENERATE(1, 2);
  in_world(procs, [procs] {
    auto full = make_chan<int>(1000), empty = make_chan<int>(1000);
    auto never_ready = make_chan<void>();
    mutex mu;
    rw_mutex rw;
    semaphore sem(1);
    std::atomic<int> ran = 0;
    for (int i = 0; i < 500; ++i) full.send(i);
    const std::vector<first_call> calls{
        {"yield", [] { yield(); }},
        {"sleep", [] { sleep(10us); }},
        {"send", [&] { empty.send(1); }},
        {"recv", [&] { FACT(full.recv().has_value()); }},
        {"try_recv", [&] { FACT(!never_ready.try_recv()); }},
        {"rendezvous",
         [&] {
           auto c = make_chan<int>();
           go([c] { c.send(3); });
           FACT(c.recv() == 3);
         }},
        {"close",
         [] {
           auto c = make_chan<int>();
           c.close();
           FACT(!c.recv().has_value());
         }},
        {"select", [&] { FACT(select(recv(never_ready), otherwise) == 1); }},
        {"select that waits", [&] { FACT(select(recv(never_ready), recv(after(10us))) == 1); }},
        {"recv_for", [&] { FACT(!never_ready.recv_for(10us)); }},
        {"go", [&] { go([&] { ++ran; }); }},
        {"go, named", [&] { go({.name = "late"}, [&] { ++ran; }); }},
        {"async", [] { FACT(async([] { return 5; }).get() == 5); }},
        {"lock", [&] { const std::lock_guard hold(mu); }},
        {"rw lock", [&] { const std::lock_guard hold(rw); }},
        {"wait_group",
         [] {
           wait_group w;
           w.go([] {});
           w.wait();
         }},
        {"semaphore",
         [&] {
           sem.acquire(1);
           sem.release(1);
         }},
        {"timer",
         [] {
           timer t(1h);
           FACT(t.stop());
         }},
        {"after_func", [&] { after_func(1us, [&] { ++ran; }); }},
        {"context",
         [] {
           auto [ctx, cancel] = with_cancel(background());
           cancel();
           FACT(bool(ctx.err()));
         }},
        {"blocking", [] { FACT(blocking([] { return 2; }) == 2); }},
        {"maxprocs", [procs] { FACT(maxprocs(procs) == procs); }},
        {"lock_os_thread",
         [] {
           lock_os_thread();
           yield();
           unlock_os_thread();
         }},
        {"exit", [] { goexit(); }},
        {"return", [] {}},
    };
    for (const first_call& c : calls) {
      INFO(c.name);
      wait_group one;
      one.go([&] {
        lose_p();
        c.f();
      });
      one.wait();
    }
    FACT(mu.try_lock());
    mu.unlock();
    while (ran < 3) yield();
  });
  report_broken_fact();
}

TEST_CASE("a fiber whose P was taken stays in its thread until it parks", "[sched][retake]") {
  hang_guard guard("a fiber without a P hangs");
  in_world(1, [] {
    auto c = make_chan<int>(1);
    std::mutex unannounced;  // would be unlocked by another thread than locked it
    for (int round = 0; round < scaled(20); ++round) {
      wait_group one;
      one.go([&] {
        const std::lock_guard hold(unannounced);
        const pid_t before = gettid();
        lose_p();
        FACT(c.try_send(1));
        FACT(gettid() == before);
        FACT(c.try_recv().has_value());
        FACT(gettid() == before);
      });
      one.wait();
    }
  });
  report_broken_fact();
}

TEST_CASE("fibers that compute for long between their calls all get on", "[sched][retake]") {
  hang_guard guard("a fiber without a P never gets one");
  in_world(GENERATE(1, 2), [] {
    auto c = make_chan<int>(1000);
    wait_group all;
    const int fibers = 4 * maxprocs(), rounds = 3;
    for (int i = 0; i < fibers; ++i)
      all.go([&] {
        for (int round = 0; round < rounds; ++round) {
          const auto until = std::chrono::steady_clock::now() + 15ms;  // longer than a time slice
          while (std::chrono::steady_clock::now() < until) {
          }
          c.send(1);
        }
      });
    all.wait();
    CHECK(c.len() == static_cast<std::size_t>(fibers * rounds));
  });
}

TEST_CASE("threads that many blocking calls needed end after a while", "[sched][retake]") {
  hang_guard guard("idle threads stay");
  in_world(GENERATE(1, 2), [] {
    gate g;
    const int many = scaled(100);
    wait_group all;
    std::atomic<int> in = 0;
    for (int i = 0; i < many; ++i)
      all.go([&] {
        ++in;
        g.wait();
      });
    while (in < many) sleep(1ms);
    CHECK(stats().threads >= static_cast<std::uint64_t>(many));
    g.open(many);
    all.wait();
    while (stats().threads > static_cast<std::uint64_t>(maxprocs() + 6)) sleep(10ms);
  });
  report_broken_fact();
}

TEST_CASE("channels keep their count while Ps are taken right and left", "[sched][retake][stress]") {
  hang_guard guard("a P was lost, or two Ms had it", std::chrono::seconds(300));
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int workers = 8, rounds = scaled(200);
    auto c = make_chan<int>(4), back = make_chan<int>();
    std::atomic<long> sum = 0;
    wait_group all;
    for (int w = 0; w < workers; ++w) {
      all.go([&, w] {
        for (int i = 0; i < rounds; ++i) {
          if (i % 16 == w) {
            const timespec little{.tv_sec = 0, .tv_nsec = 300'000};
            nanosleep(&little, nullptr);
          }
          c.send(1);
        }
      });
      all.go([&] {
        for (int i = 0; i < rounds; ++i) back.send(*c.recv());
      });
    }
    for (int i = 0; i < workers * rounds; ++i) sum += *back.recv();
    all.wait();
    CHECK(sum == static_cast<long>(workers) * rounds);
  });
}
