// The end of a world while fibers of it still compute or are blocked in the kernel.
#include <fcntl.h>
#include <unistd.h>
#include <weft/fs.h>
#include <weft/timeline.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <thread>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// A read that returns when the test ends it.
struct endless_read {
  int ends[2];
  endless_read() { REQUIRE(pipe(ends) == 0); }
  endless_read(const endless_read&) = delete;
  endless_read& operator=(const endless_read&) = delete;
  ~endless_read() {
    close(ends[0]);
    close(ends[1]);
  }
  void wait() {
    char c = 0;
    (void)!::read(ends[0], &c, 1);
    returned = true;
  }
  void end() {
    REQUIRE(::write(ends[1], "x", 1) == 1);
    while (!returned) std::this_thread::sleep_for(1ms);
  }
  std::atomic<bool> returned = false;
};

}  // namespace

TEST_CASE("run returns although a fiber computes without an end", "[sched][run][GO-32]") {
  hang_guard guard("run waits for a fiber that computes");
  const int procs = GENERATE(1, 2, 4);
  static std::atomic<bool> stop;
  stop = false;
  CHECK(run(options{.maxprocs = procs}, [] {
          go([] {
            while (!stop.load(std::memory_order_relaxed)) {
            }
          });
          sleep(20ms);
          return 7;
        }) == 7);
  stop = true;
}

TEST_CASE("run returns although a fiber is blocked in the kernel", "[sched][run][GO-32]") {
  hang_guard guard("run waits for a fiber that is blocked");
  const int procs = GENERATE(1, 2);
  const bool announced = GENERATE(true, false);
  static std::atomic<bool> went_on;
  went_on = false;
  endless_read input;
  run(options{.maxprocs = procs}, [&] {
    go([&input, announced] {
      if (announced) blocking([&] { input.wait(); });
      else input.wait();
      yield();
      went_on = true;
    });
    sleep(20ms);
  });
  input.end();
  std::this_thread::sleep_for(50ms);
  CHECK_FALSE(went_on);
}

TEST_CASE("a call that returns after its world's end leaves its fiber there", "[sched][run][GO-32]") {
  hang_guard guard("a call of a world that has ended");
  const int procs = GENERATE(1, 2);
  const bool locked = GENERATE(true, false);
  static std::atomic<bool> in, went_on;
  in = went_on = false;
  endless_read input;
  run(options{.maxprocs = procs}, [&] {
    if (locked) lock_os_thread();
    go([&input] {
      blocking([&] {
        in = true;
        input.wait();
      });
      went_on = true;
    });
    while (!in) yield();
  });
  input.end();
  std::this_thread::sleep_for(50ms);
  CHECK_FALSE(went_on);
}

TEST_CASE("a fiber that computed past its world's end wakes no fiber of the next", "[sched][run][GO-32]") {
  hang_guard guard("a fiber of a world that has ended");
  const int procs = GENERATE(1, 2);  // with 2 it has its P when the world ends
  const std::size_t room = GENERATE(as<std::size_t>(), 0, 1);
  for (int round = 0; round < scaled(3); ++round) {
    static std::atomic<bool> goes, sent;
    goes = true;
    sent = false;
    const auto c = make_chan<int>(room);
    run(options{.maxprocs = procs}, [&] {
      go([c] {
        while (goes.load(std::memory_order_relaxed)) {
        }
        c.send(1);
        sent = true;
      });
      sleep(1ms);
    });
    run(options{.maxprocs = procs}, [&] {
      goes = false;
      const auto got = c.recv_for(5ms);
      CHECK_FALSE(got.has_value());
    });
    CHECK_FALSE(sent);
  }
}

TEST_CASE("a timer outlives a world that ended while a fiber reset it", "[sched][run][timer]") {
  hang_guard guard("a timer of a world that has ended");
  for (int round = 0; round < scaled(5); ++round) {
    static std::atomic<bool> stop;
    stop = false;
    const auto shared = std::make_shared<std::optional<timer>>();
    run(options{.maxprocs = 1}, [&] {
      shared->emplace(1h);
      go([shared] {
        while (!stop.load(std::memory_order_relaxed)) (*shared)->reset(1h);
      });
      sleep(1ms);
    });
    stop = true;
    std::this_thread::sleep_for(5ms);
    run([&] { (*shared)->reset(1h); });
    CHECK((*shared)->stop() == false);
    shared->reset();
  }
}

TEST_CASE("the thread of run does not count as one that may run fibers", "[sched][run]") {
  hang_guard guard("a world with few threads");
  for (const int most : {1, 2})
    CHECK(run(options{.maxprocs = 1, .max_threads = most}, [most] {
            wait_group all;
            for (int i = 0; i < 4; ++i) all.go([] { sleep(1ms); });
            if (most == 2) all.go([] { blocking([] { usleep(1000); }); });
            all.wait();
            return 3;
          }) == 3);
}

// An M that has released its P is not idle yet when the other one's fiber blocks, often in chaos.
TEST_CASE("a thread that is about to be idle is not one too many", "[sched][run][threads]") {
  hang_guard guard("a world with two threads");
  run(options{.maxprocs = 1, .max_threads = 2}, [] {
    wait_group all;
    for (int f = 0; f < 2; ++f)
      all.go([] {
        for (int i = 0; i < scaled(3000); ++i) {
          if (i % 8 == 0) blocking([] {});
          yield();
        }
      });
    all.wait();
  });
}

TEST_CASE("run's thread serves the main fiber alone, until that first leaves it", "[sched][run][GO-25]") {
  in_world(GENERATE(1, 2), [] {
    const pid_t first = gettid();
    CHECK(first == getpid());
    pid_t other = 0;
    wait_group all;
    all.go([&] { other = gettid(); });
    all.wait();
    CHECK(other != first);
    for (int i = 0; i < 100; ++i) {
      yield();
      all.go([&] {
        if (gettid() == first) other = first;
      });
    }
    all.wait();
    CHECK(other != first);
  });
}

TEST_CASE("a main fiber that is locked keeps run's thread, until it is not locked any more", "[sched][run][GO-25]") {
  hang_guard guard("the main fiber's thread");
  in_world(GENERATE(1, 2), [] {
    lock_os_thread();
    const pid_t first = gettid();
    for (int i = 0; i < 10; ++i) {
      wait_group all;
      all.go([] { yield(); });
      all.wait();
      sleep(100us);
      REQUIRE(gettid() == first);
    }
    unlock_os_thread();
    auto c = make_chan<void>();
    go([c] { c.send(); });
    c.recv();
    CHECK(gettid() != first);
  });
}

TEST_CASE("the order of fibers at the main fiber's first wait is that of any wait", "[sched][run][order]") {
  std::vector<int> first, later;
  in_world(1, [&] {
    for (auto* order : {&first, &later}) {
      wait_group all;
      for (int i = 0; i < 5; ++i) all.go([=] { order->push_back(i); });
      all.wait();
    }
  });
  CHECK(first == std::vector{4, 0, 1, 2, 3});
  CHECK(later == first);
}

TEST_CASE("blocking inside blocking is a call", "[sched][blocking]") {
  in_world(GENERATE(1, 2), [] {
    const auto mine = this_fiber::id();
    blocking([] {
      CHECK(this_fiber::id() == 0);
      const pid_t thread = gettid();
      blocking([] {});
      CHECK(this_fiber::id() == 0);
      CHECK(gettid() == thread);
    });
    CHECK(this_fiber::id() == mine);
  });
}

TEST_CASE("the main fiber's variables are destroyed while the others run", "[sched][run][fiber_local]") {
  hang_guard guard("a destructor of the main fiber");
  struct says_goodbye {
    chan<int> to;
    chan<void> answer;
    bool* done = nullptr;
    ~says_goodbye() {
      if (!done) return;
      to.send(1);
      answer.recv();
      *done = true;
    }
  };
  static fiber_local<says_goodbye> at_end;
  bool done = false;
  run(options{.maxprocs = GENERATE(1, 2)}, [&] {
    says_goodbye& mine = at_end.get();
    mine.to = make_chan<int>();
    mine.answer = make_chan<void>();
    mine.done = &done;
    go([to = mine.to, answer = mine.answer] {
      to.recv();
      answer.send();
    });
  });
  CHECK(done);
}

TEST_CASE("the number of CPUs is that of the process while a limit binds its threads", "[sched][cpu_limit]") {
  const int before = num_cpu();
  in_world(1, [before] {
    std::atomic<bool> stop = false;
    wait_group hogs;
    for (int i = 0; i < 3; ++i)
      hogs.go([&] {
        while (!stop.load(std::memory_order_relaxed)) {
        }
      });
    for (int i = 0; i < 20; ++i) {
      sleep(5ms);
      CHECK(num_cpu() == before);
    }
    stop = true;
    hogs.wait();
  });
}

TEST_CASE("what a fiber calls after its world has ended never returns", "[sched][run][GO-32]") {
  hang_guard guard("calls of a fiber of a world that has ended");
  static std::atomic<bool> goes, went_on;
  const auto call = GENERATE(
      as<void (*)()>(), [] { (void)fs::stat("/"); }, [] { yield(); }, [] { blocking([] {}); },
      [] { (void)make_chan<int>(1).try_send(1); }, [] { timeline::start(); });
  for (const int procs : {1, 2}) {
    goes = true;
    went_on = false;
    run(options{.maxprocs = procs}, [call] {
      go([call] {
        while (goes.load(std::memory_order_relaxed)) {
        }
        call();
        went_on = true;
      });
      sleep(1ms);
    });
    goes = false;
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(went_on);
  }
}

TEST_CASE("a world may have as many threads as an int can count", "[sched][run]") {
  hang_guard guard("no thread is made");
  CHECK(run(options{.maxprocs = 1, .max_threads = INT_MAX}, [] {
          sleep(1ms);
          wait_group all;
          all.go([] {});
          all.wait();
          return 3;
        }) == 3);
}

TEST_CASE("a call that ran a world of its own after its fiber's had ended leaves its fiber there", "[sched][run]") {
  hang_guard guard("a world inside a call");
  static std::atomic<bool> in, went_on, done;
  in = went_on = done = false;
  endless_read input;
  run(options{.maxprocs = 1}, [&] {
    go([&input] {
      blocking([&] {
        in = true;
        input.wait();
        run([] { blocking([] {}); });
        done = true;
      });
      went_on = true;
    });
    while (!in) yield();
  });
  input.end();
  while (!done) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  CHECK_FALSE(went_on);
}

TEST_CASE("errno is that of the call after blocking, in whichever thread the fiber continues", "[sched][blocking]") {
  hang_guard guard("errno after blocking");
  in_world(1, [] {
    std::atomic<bool> stop = false;
    wait_group other;
    other.go([&] {  // every P is busy when the call returns
      while (!stop) yield();
    });
    int wrong = 0;
    for (int i = 0; i < scaled(200); ++i) {
      const int fd = blocking([] {
        usleep(50);
        return ::open("/none", O_RDONLY);
      });
      if (fd != -1 || errno != ENOENT) ++wrong;
      errno = 0;
    }
    CHECK(wrong == 0);
    stop = true;
    other.wait();
  });
}
