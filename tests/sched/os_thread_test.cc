// Fibers and the threads under them: lock_os_thread and blocking.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool thread_exists(pid_t tid) { return std::filesystem::exists("/proc/self/task/" + std::to_string(tid)); }

// Suspends in every way there is and returns whether the thread was `tid` all the time.
bool keeps_to(pid_t tid) {
  bool kept = gettid() == tid;
  for (int i = 0; i < 20; ++i) {
    yield();
    kept = kept && gettid() == tid;
    auto c = make_chan<int>();
    go([c, i] { c.send(i); });
    kept = kept && c.recv() == i && gettid() == tid;
    if (i % 5 == 0) sleep(100us);
    kept = kept && gettid() == tid;
  }
  return kept;
}

// Fibers that keep all Ps busy with short turns, so that a fiber that may migrate does.
class churn {
 public:
  explicit churn(int fibers) {
    for (int i = 0; i < fibers; ++i) {
      all_.go([this] {
        while (!stop_) yield();
      });
    }
  }
  ~churn() {
    stop_ = true;
    all_.wait();
  }

 private:
  std::atomic<bool> stop_ = false;
  wait_group all_;
};

}  // namespace

TEST_CASE("a locked fiber yields, sleeps, sends and receives on its own thread", "[sched][GO-03]") {
  hang_guard guard("a locked fiber hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    churn others(4);
    auto kept = make_chan<bool>();
    for (int i = 0; i < 5; ++i) {
      go([kept] {
        lock_os_thread();
        bool k = keeps_to(gettid());
        unlock_os_thread();
        kept.send(k);
      });
    }
    for (int i = 0; i < 5; ++i) CHECK(kept.recv().value());
  });
}

TEST_CASE("a fiber may end while it is locked", "[sched][GO-03]") {
  hang_guard guard("a fiber that ends locked takes the world with it");
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      auto done = make_chan<int>();
      go([done, i] {
        lock_os_thread();
        yield();
        done.send(i);
      });
      REQUIRE(done.recv() == i);
    }
  });
}

TEST_CASE("locks count: as many unlocks as locks set a fiber free", "[sched][GO-21]") {
  in_world(4, [] {
    churn others(4);
    auto result = make_chan<bool>();
    go([result] {
      lock_os_thread();
      lock_os_thread();
      unlock_os_thread();
      bool kept = keeps_to(gettid());
      unlock_os_thread();
      result.send(kept);
    });
    CHECK(result.recv().value());
  });
}

TEST_CASE("a fiber set free again does not take its thread with it", "[sched][GO-21]") {
  in_world(2, [] {
    auto tid = make_chan<pid_t>();
    go([tid] {
      lock_os_thread();
      lock_os_thread();
      unlock_os_thread();
      unlock_os_thread();
      tid.send(gettid());
    });
    pid_t t = tid.recv().value();
    sleep(20ms);
    CHECK(thread_exists(t));
  });
}

TEST_CASE("one unlock too many does nothing", "[sched][GO-21]") {
  in_world(2, [] {
    auto kept = make_chan<bool>();
    go([kept] {
      unlock_os_thread();
      unlock_os_thread();
      lock_os_thread();  // counts from zero, not from minus two
      kept.send(keeps_to(gettid()));
      unlock_os_thread();
    });
    CHECK(kept.recv().value());
  });
}

TEST_CASE("a fiber that ends while locked takes its thread with it", "[sched][GO-22]") {
  hang_guard guard("the thread of a fiber that ended locked lives on");
  in_world(GENERATE(1, 2, 4), [] {
    pid_t main_thread = gettid();
    for (int i = 0; i < 10; ++i) {
      auto tid = make_chan<pid_t>();
      go([tid] {
        lock_os_thread();
        tid.send(gettid());
      });
      pid_t t = tid.recv().value();
      if (t == getpid() || t == main_thread) continue;  // the thread that called run cannot go
      while (thread_exists(t)) sleep(1ms);
    }
  });
}

TEST_CASE("a thread tainted by a locked fiber is no parent of new threads", "[sched][GO-23]") {
  hang_guard guard("locked fibers hang");
  if (unshare(0) != 0) return;
  const std::string home = std::filesystem::current_path();
  std::atomic<int> elsewhere = 0;
  std::atomic<bool> could = true;
  in_world(2, [&] {
    wait_group all;
    all.go([&] {
      lock_os_thread();
      if (gettid() == getpid() || unshare(CLONE_FS) != 0 || chdir("/proc") != 0) {
        could = false;
        unlock_os_thread();
        return;
      }
      // These need threads of their own, and this thread starts them.
      auto gate = make_chan<void>();
      wait_group locked;
      for (int i = 0; i < 8; ++i) {
        locked.go([&, gate] {
          lock_os_thread();
          if (std::filesystem::current_path() != home) ++elsewhere;
          gate.recv();
        });
      }
      for (int i = 0; i < 8; ++i) gate.send();
      locked.wait();
    });
    all.wait();
    for (int i = 0; i < 8; ++i) {
      all.go([&] {
        lock_os_thread();
        if (std::filesystem::current_path() != home) ++elsewhere;
        sleep(1ms);
      });
    }
    all.wait();
  });
  if (!could) WARN("no thread could be tainted here");
  CHECK(elsewhere == 0);
  CHECK(std::filesystem::current_path() == home);
}

TEST_CASE("nothing else runs on the thread of a locked fiber", "[sched][GO-26]") {
  hang_guard guard("a locked fiber hangs");
  in_world(GENERATE(1, 2, 4), [] {
    std::atomic<pid_t> taken = 0;
    std::atomic<int> trespassers = 0;
    std::atomic<bool> stop = false;
    wait_group all;
    all.go([&] {
      lock_os_thread();
      taken = gettid();
      for (int i = 0; i < scaled(200); ++i) {
        if (i % 10 == 0) sleep(100us);
        else yield();
      }
      taken = 0;
      unlock_os_thread();
      stop = true;
    });
    for (int i = 0; i < 4; ++i) {
      all.go([&] {
        while (!stop) {
          if (taken == gettid()) ++trespassers;
          yield();
        }
      });
    }
    all.wait();
    CHECK(trespassers == 0);
  });
}

TEST_CASE("the thread of a fiber that is blocked but not locked serves others", "[sched][order][GO-26]") {
  in_world(1, [] {
    wait_group all;
    all.go([] {  // not the main fiber: run()'s thread serves no other
      lock_os_thread();  // and off again: it is not locked below
      unlock_os_thread();
      pid_t mine = gettid(), theirs = 0;
      auto c = make_chan<void>();
      go([&, c] {
        theirs = gettid();
        c.send();
      });
      c.recv();
      CHECK(theirs == mine);
    });
    all.wait();
  });
}

TEST_CASE("many locked fibers wake each other in a ring", "[sched][GO-26]") {
  hang_guard guard("a ring of locked fibers hangs");
  in_world(GENERATE(1, 2, 4), [] {
    constexpr int n = 8;
    std::vector<chan<int>> links;
    for (int i = 0; i < n; ++i) links.push_back(make_chan<int>(1));
    wait_group all;
    for (std::size_t i = 0; i < n; ++i) {
      all.go([&links, i] {
        lock_os_thread();
        for (;;) {
          int left = links[i].recv().value();
          links[(i + 1) % n].send(left - 1);
          if (left <= n) break;  // the last turn of each
        }
        unlock_os_thread();
      });
    }
    links[0].send(scaled(100) * n);
    all.wait();
  });
}

TEST_CASE("other fibers run while one is in a blocking call", "[sched][GO-40]") {
  hang_guard guard("a blocking call holds up its P");
  in_world(GENERATE(1, 2), [] {
    std::atomic<bool> release = false;
    auto done = make_chan<int>();
    go([&, done] {
      done.send(blocking([&] {
        while (!release) std::this_thread::sleep_for(100us);
        return 11;
      }));
    });
    yield();
    go([&] { release = true; });
    CHECK(done.recv() == 11);
  });
}

TEST_CASE("after a blocking call a fiber goes on although no P is free", "[sched][GO-40]") {
  hang_guard guard("a fiber never comes back from its blocking call");
  in_world(GENERATE(1, 2, 4), [] {
    churn others(8);
    std::atomic<int> back = 0;
    wait_group all;
    for (int i = 0; i < 8; ++i) {
      all.go([&] {
        for (int k = 0; k < 20; ++k) {
          blocking([] { std::this_thread::sleep_for(200us); });
          yield();
        }
        ++back;
      });
    }
    all.wait();
    CHECK(back == 8);
  });
}

TEST_CASE("a locked fiber comes back from a blocking call on its own thread", "[sched][GO-40]") {
  hang_guard guard("a locked fiber never comes back from its blocking call");
  in_world(GENERATE(1, 2, 4), [] {
    churn others(4);
    auto kept = make_chan<bool>();
    for (int i = 0; i < 4; ++i) {
      go([kept] {
        lock_os_thread();
        pid_t mine = gettid();
        bool k = true;
        for (int r = 0; r < 10; ++r) {
          pid_t inside = blocking([] {
            std::this_thread::sleep_for(200us);
            return gettid();
          });
          k = k && inside == mine && gettid() == mine;
          yield();
          k = k && gettid() == mine;
        }
        unlock_os_thread();
        kept.send(k);
      });
    }
    for (int i = 0; i < 4; ++i) CHECK(kept.recv().value());
  });
}

TEST_CASE("a blocking call that does not block is no burden", "[sched][GO-40]") {
  hang_guard guard("blocking calls that do not block hang");
  in_world(GENERATE(1, 4), [] {
    int sum = 0;
    for (int i = 0; i < scaled(100'000); ++i) sum += blocking([] { return 1; });
    CHECK(sum == scaled(100'000));
  });
}

TEST_CASE("an exception that leaves a blocking call reaches its fiber", "[sched][GO-40]") {
  in_world(GENERATE(1, 2), [] {
    std::string text;
    try {
      blocking([] {
        std::this_thread::sleep_for(1ms);
        throw std::runtime_error("from inside");
      });
    } catch (const std::runtime_error& e) {
      text = e.what();
    }
    CHECK(text == "from inside");
    yield();
  });
}

TEST_CASE("inside a blocking call the thread is a plain one that may use channels", "[sched][GO-40]") {
  hang_guard guard("a channel inside a blocking call hangs");
  in_world(GENERATE(1, 2), [] {
    auto there = make_chan<int>(), back = make_chan<int>();
    go([=] {
      for (int i = 0; i < 50; ++i) {
        int v = there.recv().value();
        back.send(v + 1);
      }
    });
    int last = blocking([&] {
      int v = 0;
      for (int i = 0; i < 50; ++i) {
        there.send(v);
        v = back.recv().value();
      }
      return v;
    });
    CHECK(last == 50);
  });
}
