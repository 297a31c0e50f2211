// cond.
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<cond> && !std::is_move_constructible_v<cond>);

TEST_CASE("each signal wakes one waiter, the one that has waited longest", "[sync][cond][SYN-30]") {
  hang_guard guard("a signal was lost");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(60); ++round) {
      mutex m;
      cond c;
      int waiting = 0;
      std::atomic<int> awake = 0, last = -1;
      wait_group all;
      for (int i = 0; i < 6; ++i) {
        all.go([&, i] {
          std::unique_lock hold(m);
          ++waiting;
          c.wait(hold);
          last = i;
          ++awake;
        });
        await([&] {
          const std::lock_guard hold(m);
          return waiting == i + 1;
        });
      }
      for (int i = 1; i <= 6; ++i) {
        REQUIRE(awake == i - 1);
        c.signal();
        await([&] { return awake >= i; });
        yield();
        REQUIRE(awake == i);
        REQUIRE(last == i - 1);
      }
      c.signal();  // without a waiter
      all.wait();
    }
  });
}

TEST_CASE("generations of waiters are woken one after the other", "[sync][cond][SYN-30]") {
  hang_guard guard("generations of waiters");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(10); ++round) {
      mutex m;
      cond c;
      constexpr int n = 100;
      std::vector<bool> awake(n);
      auto running = make_chan<void>(n);
      auto woken = make_chan<int>(n);
      wait_group all;
      for (int i = 0; i < n; ++i) {
        all.go([&, running, woken, i] {
          std::unique_lock hold(m);
          running.send();
          c.wait(hold);
          awake[static_cast<std::size_t>(i)] = true;
          woken.send(i);
        });
        if (i > 0) {
          const int first = *woken.recv();
          REQUIRE(first == i - 1);
        }
        running.recv();
        const std::lock_guard hold(m);  // waits now
        c.signal();
      }
      all.wait();
    }
  });
}

TEST_CASE("a broadcast wakes all that wait, each once", "[sync][cond][SYN-31]") {
  hang_guard guard("a broadcast missed somebody");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    cond c;
    constexpr int n = 200;
    const int rounds = scaled(200);
    int waiting = 0;
    bool over = false;
    std::vector<int> woken(n);
    wait_group all;
    for (int i = 0; i < n; ++i)
      all.go([&, i] {
        std::unique_lock hold(m);
        while (!over) {
          ++waiting;
          c.wait(hold);
          ++woken[static_cast<std::size_t>(i)];
        }
      });
    for (int round = 1; round <= rounds; ++round) {
      await([&] {
        const std::lock_guard hold(m);
        return waiting == n;
      });
      const std::lock_guard hold(m);
      for (int i = 0; i < n; ++i) REQUIRE(woken[static_cast<std::size_t>(i)] == round - 1);
      waiting = 0;
      if (round == rounds) over = true;
      c.broadcast();
    }
    all.wait();
    for (int i = 0; i < n; ++i) CHECK(woken[static_cast<std::size_t>(i)] == rounds);
  });
}

TEST_CASE("a broadcast is not stolen by one that begins to wait meanwhile", "[sync][cond][SYN-32]") {
  hang_guard guard("a waiter lost its broadcast to a newcomer");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(1000); ++round) {
      mutex m;
      cond c;
      auto first_waits = make_chan<void>(1);
      std::atomic<bool> first_back = false;
      wait_group all;
      all.go([&, first_waits] {
        std::unique_lock hold(m);
        first_waits.send();
        c.wait(hold);
        first_back = true;
      });
      first_waits.recv();
      bool over = false;
      {
        const std::lock_guard hold(m);  // the first waits now
        c.broadcast();
      }
      all.go([&] {
        std::unique_lock hold(m);
        while (!over) c.wait(hold);
      });
      await([&] { return first_back.load(); });
      {
        const std::lock_guard hold(m);
        over = true;
      }
      c.broadcast();
      all.wait();
    }
  });
}

TEST_CASE("waiting gives up the lock and queues in one step", "[sync][cond][SYN-33]") {
  hang_guard guard("a wake-up between unlock and wait was lost");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    cond c;
    int turn = 0;
    const int rounds = scaled(4000);
    wait_group all;
    for (int who = 0; who < 3; ++who)
      all.go([&, who] {
        for (int i = 0; i < rounds; ++i) {
          std::unique_lock hold(m);
          c.wait(hold, [&] { return turn % 3 == who; });
          ++turn;
          c.broadcast();
        }
      });
    all.wait();
    CHECK(turn == 3 * rounds);
  });
}

TEST_CASE("a cond works with any lock", "[sync][cond]") {
  hang_guard guard("a cond with other locks");
  in_world(GENERATE(1, 4), [] {
    cond c;
    bool ready = false;
    const auto meet = [&](auto& lockable) {
      ready = false;
      wait_group all;
      all.go([&] {
        std::unique_lock hold(lockable);
        c.wait(hold, [&] { return ready; });
      });
      sleep(200us);
      {
        const std::lock_guard hold(lockable);
        ready = true;
      }
      c.notify_one();
      all.wait();
    };
    mutex m;
    meet(m);
    rw_mutex w;
    meet(w);
    std::unique_lock hold(w);
    CHECK(c.wait_for(w, 1ms) == std::cv_status::timeout);  // the lockable itself
  });
}

TEST_CASE("fibers and plain threads wait for each other's signals", "[sync][cond]") {
  hang_guard guard("a cond between threads and fibers");
  in_world(GENERATE(1, 4), [] {
    mutex m;
    cond c;
    int turn = 0;
    const int rounds = scaled(1000);
    const auto play = [&](int who) {
      for (int i = 0; i < rounds; ++i) {
        std::unique_lock hold(m);
        c.wait(hold, [&] { return turn % 2 == who; });
        ++turn;
        c.notify_all();
      }
    };
    std::thread thread([&] { play(0); });
    play(1);
    blocking([&] { thread.join(); });
    CHECK(turn == 2 * rounds);
  });
}

TEST_CASE("a bounded wait for a signal ends in time or with the signal", "[sync][cond]") {
  hang_guard guard("a bounded wait for a signal");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    cond c;
    std::unique_lock hold(m);
    const time_point began = now();
    CHECK(c.wait_for(hold, 2ms) == std::cv_status::timeout);
    CHECK(now() - began >= 2ms);
    CHECK(hold.owns_lock());
    CHECK_FALSE(m.try_lock());
    CHECK(c.wait_until(hold, now() + 1ms) == std::cv_status::timeout);
    CHECK_FALSE(c.wait_for(hold, 1ms, [] { return false; }));
    CHECK(c.wait_for(hold, 1ms, [] { return true; }));
    bool told = false;
    wait_group all;
    all.go([&] {
      const std::lock_guard theirs(m);
      told = true;
      c.signal();
    });
    CHECK(c.wait_for(hold, 1h, [&] { return told; }));
    hold.unlock();
    all.wait();
  });
}

TEST_CASE("a signal goes to one that waits, not to one that has given up", "[sync][cond][SYN-30]") {
  hang_guard guard("a signal went to one that had given up");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(60); ++round) {
      mutex m;
      cond c;
      int tokens = 0, taken = 0;
      const int patient = 4, each = 20;
      wait_group all;
      std::atomic<int> left = patient;
      for (int f = 0; f < patient; ++f)
        all.go([&] {
          for (int i = 0; i < each; ++i) {
            std::unique_lock hold(m);
            c.wait(hold, [&] { return tokens > 0; });
            --tokens;
            ++taken;
          }
          --left;
        });
      for (int f = 0; f < 6; ++f)  // these pass on what they are given
        all.go([&, f] {
          for (int i = 0; left > 0; ++i) {
            std::unique_lock hold(m);
            if (c.wait_for(hold, std::chrono::microseconds((f * 13 + i) % 40)) == std::cv_status::no_timeout)
              c.signal();
          }
        });
      for (int i = 0; i < patient * each; ++i) {
        {
          const std::lock_guard hold(m);
          ++tokens;
        }
        c.signal();
        if (i % 3 == 0) yield();
      }
      all.wait();
      REQUIRE(taken == patient * each);
      REQUIRE(tokens == 0);
    }
  });
}

TEST_CASE("a cond may be destroyed as soon as the last wait has returned", "[sync][cond]") {
  hang_guard guard("a cond on a stack");
  in_world(GENERATE(1, 2, 4, 16), [] {
    struct both {
      mutex m;
      cond c;
      bool told = false;
    };
    for (int i = 0; i < scaled(4000); ++i) {
      auto b = std::make_unique<both>();
      mutex outlives;
      std::unique_lock hold(outlives);
      go([at = b.get(), &outlives] {
        std::unique_lock theirs(outlives);
        at->told = true;
        theirs.unlock();
        at->c.signal();
      });
      if (i % 2) b->c.wait(hold);
      else
        while (b->c.wait_for(hold, 1h) == std::cv_status::timeout) {
        }
      REQUIRE(b->told);
      b.reset();  // the fiber above may still be inside signal()
    }
  });
}

TEST_CASE("a wait whose unlock throws takes nobody's signal", "[sync][cond]") {
  hang_guard guard("an unlock that throws");
  in_world(GENERATE(1, 4), [] {
    mutex m;
    cond c;
    CHECK_THROWS_AS(c.wait(m), panic);  // not locked
    bool back = false;
    wait_group all;
    all.go([&] {
      std::unique_lock hold(m);
      c.wait(hold);
      back = true;
    });
    await([&] {
      const std::lock_guard hold(m);
      c.signal();
      return back;
    });
    all.wait();
  });
}
