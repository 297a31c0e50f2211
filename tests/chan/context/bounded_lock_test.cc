// Locks, groups, tasks and once under a context.
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a mutex is locked under a context, or its error is returned", "[context][mutex]") {
  hang_guard guard("a cancelled lock waits on");
  in_world(GENERATE(1, 4), [] {
    mutex mu;
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK_FALSE(mu.lock(background()));
    CHECK_FALSE(mu.try_lock());
    CHECK(mu.lock(ctx) == errc::deadline_exceeded);
    mu.unlock();
    CHECK(mu.lock(ctx) == errc::deadline_exceeded);  // done already, though the mutex is free
    CHECK(mu.try_lock());
    mu.unlock();
    CHECK_THROWS_AS(mu.unlock(), panic);
  });
}

TEST_CASE("a mutex is never held twice nor lost while lockers are cancelled", "[context][mutex]") {
  hang_guard guard("cancelled lockers lose a wake-up");
  const bool long_holds = GENERATE(false, true);  // long ones starve the waiters: hand-over
  in_world(GENERATE(1, 2, 4, 16), [long_holds] {
    mutex mu;
    int inside = 0, wrong = 0;
    long held = 0;  // all three under mu
    std::atomic<long> locked = 0, gave_up = 0;
    wait_group all;
    constexpr int fibers = 8;
    const int each = scaled(long_holds ? 300 : 4000);
    for (int f = 0; f < fibers; ++f)
      all.go([&, f] {
        for (int i = 0; i < each; ++i) {
          if ((i + f) % 3 == 0) {
            mu.lock();
          } else {
            auto [ctx, cancel] = (i + f) % 3 == 1 ? with_timeout(background(), 100us) : with_cancel(background());
            if ((i + f) % 3 == 2) go([cancel = std::move(cancel)] { cancel(); });
            if (mu.lock(ctx)) {
              ++gave_up;
              continue;
            }
          }
          if (++inside != 1) ++wrong;
          if (i % 16 == 0) yield();
          if (long_holds) sleep(300us);
          ++held;
          --inside;
          ++locked;
          mu.unlock();
        }
      });
    all.wait();
    CHECK(wrong == 0);
    CHECK(held == locked);
    CHECK(locked + gave_up == fibers * each);
    CHECK(mu.try_lock());  // it has no holder and its state is empty
    mu.unlock();
    CHECK_THROWS_AS(mu.unlock(), panic);
  });
}

TEST_CASE("one cancel against one unlock: the mutex is locked once, or free", "[context][mutex]") {
  hang_guard guard("a cancel and an unlock pass each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, locked = 0;
    for (int i = 0; goes_on(i, scaled(4000), canceled, locked); ++i) {
      auto mu = std::make_unique<mutex>();
      auto [ctx, cancel] = with_cancel(background());
      mu->lock();
      wait_group all;
      race(
          all, i, [raw = mu.get()] { raw->unlock(); }, [&] { cancel(); });
      const std::error_code err = mu->lock(ctx);
      if (!err) mu->unlock();
      ++(err ? canceled : locked);
      mu->lock();  // succeeds in any order
      mu.reset();  // while the unlocker may still be returning
      all.wait();
    }
    CHECK(canceled > 0);
    CHECK(locked > 0);
  });
}

TEST_CASE("a cancel against a hand-over to one that starves, with others in the queue", "[context][mutex]") {
  hang_guard guard("a mutex that starves loses its owner");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex mu;
    int inside = 0, wrong = 0;
    std::atomic<int> canceled = 0, locked = 0;
    for (int i = 0; i < scaled(300); ++i) {
      auto [ctx, cancel] = with_cancel(background());
      mu.lock();
      wait_group all;
      for (int k = 0; k < 4; ++k)
        all.go([&, ctx = ctx, k] {
          if (k % 2 ? mu.lock(ctx) : (mu.lock(), std::error_code())) {
            ++canceled;
            return;
          }
          if (++inside != 1) ++wrong;
          ++locked;
          --inside;
          mu.unlock();
        });
      // Woken after another fiber has taken the lock, the oldest waiter is too old, and the mutex
      // starves.
      sleep(1500us);
      mu.unlock();
      mu.lock();
      yield();
      race(
          all, i, [&] { mu.unlock(); }, [&] { cancel(); });
      all.wait();
    }
    CHECK(wrong == 0);
    CHECK(canceled + locked == 4 * scaled(300));
    CHECK(mu.try_lock());
    mu.unlock();
    CHECK_THROWS_AS(mu.unlock(), panic);
  });
}

TEST_CASE("a wait for a group ends with the group or with the context", "[context][wait_group]") {
  hang_guard guard("a cancelled wait goes on");
  in_world(GENERATE(1, 2, 4, 16), [] {
    wait_group idle;
    CHECK_FALSE(idle.wait(background()));
    int canceled = 0, ended = 0;
    for (int i = 0; goes_on(i, scaled(4000), canceled, ended); ++i) {
      auto group = std::make_unique<wait_group>();
      auto [ctx, cancel] = with_cancel(background());
      std::atomic<bool> done = false;
      group->add(1);
      wait_group all;
      race(
          all, i,
          [&done, g = group.get()] {
            done = true;
            g->done();
          },
          [&] { cancel(); });
      const std::error_code err = group->wait(ctx);
      if (!err && !done) FAIL("wait returned too early");
      ++(err ? canceled : ended);
      group->wait();
      group.reset();  // while done() may still be returning
      all.wait();
    }
    CHECK(canceled > 0);
    CHECK(ended > 0);
  });
}

TEST_CASE("a task that is not waited for long enough can be waited for again", "[context][task]") {
  hang_guard guard("a task never ends");
  in_world(GENERATE(1, 4), [] {
    auto gate = make_chan<void>();
    task<int> t = async([gate] {
      gate.recv();
      return 7;
    });
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(t.wait(ctx) == errc::deadline_exceeded);
    CHECK(t.get(ctx).err == errc::deadline_exceeded);
    gate.close();
    CHECK(t.get(background()).unwrap() == 7);
    CHECK_THROWS_AS(t.get(background()), panic);

    task<void> v = async([] { throw std::runtime_error("lost"); });
    CHECK_THROWS_AS(v.get(background()), std::runtime_error);
    task<void> fine = async([] {});
    CHECK_FALSE(fine.get(background()));
  });
}

TEST_CASE("once under a context waits for the one call no longer than that", "[context][once]") {
  hang_guard guard("a cancelled once waits on");
  in_world(GENERATE(1, 4), [] {
    once o;
    int calls = 0;
    auto begun = make_chan<void>(), gate = make_chan<void>();
    wait_group all;
    all.go([&] {
      o.call([&] {
        begun.send();
        gate.recv();
        ++calls;
      });
    });
    begun.recv();
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(o.call(ctx, [&] { ++calls; }) == errc::deadline_exceeded);
    gate.close();
    CHECK_FALSE(o.call(background(), [&] { ++calls; }));
    CHECK(calls == 1);
    all.wait();
  });
}

TEST_CASE("plain threads lock under contexts beside fibers", "[context][mutex]") {
  hang_guard guard("a plain thread's lock is never ended");
  in_world(GENERATE(1, 4), [] {
    mutex mu;
    int inside = 0, wrong = 0;
    std::atomic<int> ended = 0;
    const int n = scaled(2000);
    auto work = [&] {
      for (int i = 0; i < n; ++i) {
        auto [ctx, cancel] = with_timeout(background(), std::chrono::microseconds(1 + i % 100));
        if (mu.lock(ctx)) continue;
        if (++inside != 1) ++wrong;
        dither(100);
        --inside;
        mu.unlock();
      }
      ++ended;
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) threads.emplace_back(work);
    wait_group all;
    for (int f = 0; f < 2; ++f) all.go(work);
    all.wait();
    while (ended < 4) sleep(100us);
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
  });
}
