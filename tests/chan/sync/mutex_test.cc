// mutex: exclusion, its two modes, bounded waits, misuse.
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("a locked mutex cannot be locked by trying, a free one can", "[sync][mutex][SYN-01][SYN-08]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    m.lock();
    CHECK_FALSE(m.try_lock());
    m.unlock();
    CHECK(m.try_lock());
    CHECK_FALSE(m.try_lock_for(1ms));
    m.unlock();
    CHECK(m.try_lock_for(0ns));
    m.unlock();
  });
}

TEST_CASE("one fiber at a time holds a mutex", "[sync][mutex][SYN-01][SYN-43][SYN-47]") {
  hang_guard guard("a mutex lost a waiter");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(40); ++round) {
      mutex m;
      int inside = 0, sum = 0;  // guarded by m: TSan sees any lack of order
      wait_group all;
      for (int f = 0; f < 10; ++f)
        all.go([&, f] {
          for (int i = 0; i < 200; ++i) {
            if (i % 3 == 0) {
              if (!m.try_lock()) continue;
            } else if (i % 3 == 1 && f % 2) {
              if (!m.try_lock_for(std::chrono::microseconds(i % 30))) continue;
            } else {
              m.lock();
            }
            MUST(++inside == 1);
            if (i % 16 == 0) yield();
            ++sum;
            --inside;
            m.unlock();
          }
        });
      all.wait();
      REQUIRE(sum >= 10 * 66);
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("plain threads and fibers share a mutex", "[sync][mutex][SYN-01]") {
  hang_guard guard("a mutex between threads and fibers lost a waiter");
  for (int procs : {1, 4}) {
    mutex m;
    int sum = 0;
    const int each = scaled(4000);
    const auto work = [&] {
      for (int i = 0; i < each; ++i) {
        if (i % 5 == 0) {
          while (!m.try_lock_for(20us)) {
          }
        } else {
          m.lock();
        }
        ++sum;
        m.unlock();
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(work);
    in_world(procs, [&] {
      wait_group all;
      for (int i = 0; i < 5; ++i) all.go(work);
      all.wait();
    });
    for (auto& t : threads) t.join();
    CHECK(sum == 8 * each);
  }
}

TEST_CASE("unlocking what is not locked panics and leaves the mutex as it was", "[sync][mutex][SYN-02]") {
  in_world(GENERATE(1, 4), [] {
    mutex m;
    CHECK_THAT(panic_of([&] { m.unlock(); }), Contains("unlock of unlocked mutex"));
    m.lock();
    m.unlock();
    CHECK_THAT(panic_of([&] { m.unlock(); }), Contains("unlock of unlocked mutex"));
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("a fiber that locks now and then gets its turn against one that nearly always holds",
          "[sync][mutex][SYN-05]") {
  hang_guard guard("a mutex starves a waiter");
  in_world(GENERATE(1, 2, 4), [] {
    mutex m;
    std::atomic<bool> over = false;
    wait_group all;
    all.go([&] {
      while (!over) {
        const std::lock_guard hold(m);
        sleep(100us);
      }
    });
    for (int i = 0; i < 10; ++i) {
      sleep(100us);
      const std::lock_guard hold(m);
    }
    over = true;
    all.wait();
  });
}

TEST_CASE("a waiter that has starved is handed the mutex, and nobody barges", "[sync][mutex][SYN-06][SYN-07]") {
  hang_guard guard("a starving mutex hangs");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(40); ++round) {
      mutex m;
      std::atomic<int> got = 0;
      m.lock();
      wait_group all;
      all.go([&] {
        m.lock();
        got = 1;
        sleep(200us);
        m.unlock();
      });
      // The waiter is woken once and finds the mutex taken again, after more than 1 ms: it starves.
      sleep(2ms);
      m.unlock();
      m.lock();
      if (got == 0) {
        sleep(2ms);
        m.unlock();
        // If it is starving by now, it has the mutex already; in any case we only get it after a
        // try that fails or after its turn.
        if (!m.try_lock()) m.lock();
      }
      m.unlock();
      all.wait();
      REQUIRE(got == 1);
      REQUIRE(m.try_lock());  // normal again
      m.unlock();
    }
  });
}

TEST_CASE("a woken waiter that loses the race is the next one all the same", "[sync][mutex][SYN-46]") {
  hang_guard guard("a requeued waiter was lost");
  in_world(1, [] {
    for (int round = 0; round < scaled(400); ++round) {
      mutex m;
      std::vector<int> order;  // guarded by m
      int come = 0;
      m.lock();
      wait_group all;
      for (int i = 0; i < 3; ++i) {
        all.go([&, i] {
          ++come;
          m.lock();
          order.push_back(i);
          m.unlock();
        });
        await([&] { return come == i + 1; });  // and queued, with one P
      }
      m.unlock();  // wakes the first
      m.lock();    // and takes it from it
      yield();
      m.unlock();
      all.wait();
      REQUIRE(order == std::vector<int>{0, 1, 2});
    }
  });
}

TEST_CASE("a bounded wait for a mutex ends in time or with the mutex", "[sync][mutex]") {
  hang_guard guard("a bounded wait for a mutex hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    m.lock();
    const time_point began = now();
    CHECK_FALSE(m.try_lock_for(5ms));
    CHECK(now() - began >= 5ms);
    CHECK_FALSE(m.try_lock_until(now() + 2ms));
    CHECK_FALSE(m.try_lock_until(std::chrono::steady_clock::now() + 2ms));
    CHECK_FALSE(m.try_lock_for(0.001s * 0.5));
    wait_group all;
    all.go([&] {
      std::unique_lock hold(m, 1h);
      MUST(hold.owns_lock());
    });
    sleep(1ms);
    m.unlock();
    all.wait();
    CHECK(m.try_lock_for(std::chrono::hours::max()));
    m.unlock();
  });
}

TEST_CASE("waiters that give up leave the mutex to those that do not", "[sync][mutex][SYN-06]") {
  hang_guard guard("a mutex forgot a waiter beside ones that gave up");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(60); ++round) {
      mutex m;
      std::atomic<int> got = 0, gave_up = 0;
      wait_group all;
      for (int f = 0; f < 12; ++f)
        all.go([&, f] {
          for (int i = 0; i < 30; ++i) {
            if (f < 4) m.lock();
            else if (!m.try_lock_for(std::chrono::microseconds((f * 7 + i) % 60))) {
              ++gave_up;
              continue;
            }
            ++got;
            if (i % 4 == 0) sleep(20us);
            else if (i % 4 == 1) yield();
            m.unlock();
          }
        });
      all.wait();
      REQUIRE(got + gave_up == 12 * 30);
      REQUIRE(got >= 4 * 30);
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("a mutex may be destroyed by whoever locked it last", "[sync][mutex]") {
  hang_guard guard("a mutex on a stack");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(4000); ++i) {
      auto m = std::make_unique<mutex>();
      m->lock();
      go([at = m.get()] { at->unlock(); });
      if (i % 2) m->lock();
      else
        while (!m->try_lock_for(50us)) {
        }
      m.reset();  // the fiber above may still be inside unlock()
    }
  });
}

TEST_CASE("locks that have nothing to do with each other do not slow each other", "[sync][mutex][SYN-45]") {
  hang_guard guard("many locks with waiters");
  in_world(GENERATE(1, 2, 4), [] {
    // What a hand-over costs, at best, while n other mutexes have a fiber that waits. With a table
    // of queues behind all mutexes, as others have it, it could grow with them: a hundredfold if
    // they were gone through.
    const auto cost_beside = [](int others) {
      std::vector<mutex> held(static_cast<std::size_t>(others));
      wait_group all;
      std::atomic<int> came = 0;
      for (mutex& m : held) {
        m.lock();
        all.go([&] {
          ++came;
          const std::lock_guard hold(m);
        });
      }
      await([&] { return came == others; });
      auto best = std::chrono::nanoseconds::max();
      for (int round = 0; round < 20; ++round) {
        mutex m;
        wait_group two;
        const auto began = std::chrono::steady_clock::now();
        for (int f = 0; f < 2; ++f)
          two.go([&] {
            for (int i = 0; i < 200; ++i) {
              const std::lock_guard hold(m);
              yield();  // so that the other one waits
            }
          });
        two.wait();
        best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - began));
      }
      for (mutex& m : held) m.unlock();
      all.wait();
      return best;
    };
    const auto alone = cost_beside(0);
    const auto among_many = cost_beside(5'000);
    INFO("alone " << alone.count() << " ns, beside 5,000 others " << among_many.count() << " ns");
    CHECK(among_many < 10 * alone);
  });
}
