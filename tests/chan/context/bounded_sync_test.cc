// Reader-writer locks and conditions under a context.
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("both sides of a reader-writer lock can be ended by a context", "[context][rw_mutex]") {
  hang_guard guard("a cancelled lock waits on");
  in_world(GENERATE(1, 4), [] {
    rw_mutex rw;
    CHECK_FALSE(rw.lock(background()));
    {
      auto [ctx, cancel] = with_timeout(background(), 1ms);
      CHECK(rw.lock_shared(ctx) == errc::deadline_exceeded);
      CHECK(rw.lock(ctx) == errc::deadline_exceeded);
    }
    rw.unlock();
    CHECK_FALSE(rw.lock_shared(background()));
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(rw.lock(ctx) == errc::deadline_exceeded);
    CHECK(rw.try_lock_shared());  // the writer that has left blocks no reader
    rw.unlock_shared();
    rw.unlock_shared();
    CHECK(rw.lock(ctx) == errc::deadline_exceeded);  // done already
    CHECK(rw.try_lock());
    rw.unlock();
    CHECK_THROWS_AS(rw.unlock(), panic);
  });
}

TEST_CASE("readers and writers that are cancelled leave a lock as it should be", "[context][rw_mutex]") {
  hang_guard guard("cancelled readers and writers lose a wake-up");
  in_world(GENERATE(1, 2, 4, 16), [] {
    rw_mutex rw;
    std::atomic<int> readers = 0, writers = 0, wrong = 0;
    std::atomic<long> got = 0, gave_up = 0;
    constexpr int fibers = 8;
    const int each = scaled(3000);
    wait_group all;
    for (int f = 0; f < fibers; ++f)
      all.go([&, f] {
        for (int i = 0; i < each; ++i) {
          auto [ctx, cancel] = (i + f) % 2 ? with_timeout(background(), 50us) : with_cancel(background());
          if ((i + f) % 4 == 0) go([cancel = std::move(cancel)] { cancel(); });
          const bool write = (i + f) % 3 == 0;
          if (write ? rw.lock(ctx) : rw.lock_shared(ctx)) {
            ++gave_up;
            continue;
          }
          (write ? writers : readers) += 1;
          if (writers > 1 || (writers == 1 && readers > 0)) ++wrong;
          if (i % 8 == 0) yield();
          (write ? writers : readers) -= 1;
          write ? rw.unlock() : rw.unlock_shared();
          ++got;
        }
      });
    all.wait();
    CHECK(wrong == 0);
    CHECK(got + gave_up == fibers * each);
    CHECK(rw.try_lock());
    rw.unlock();
  });
}

TEST_CASE("an unlock past readers that have given up forgets nobody who comes meanwhile", "[context][rw_mutex]") {
  hang_guard guard("an unlock past readers that have given up");
  in_world(GENERATE(1, 4), [] {
    rw_mutex rw;
    std::atomic<bool> over = false, forgotten = false;
    std::thread comes_and_goes([&] {
      try {
        while (!over)
          if (rw.try_lock_shared()) rw.unlock_shared();
      } catch (const panic&) {
        forgotten = true;
      }
    });
    for (int i = 0; i < scaled(5'000) && !forgotten; ++i) {
      rw.lock();
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      all.go([&, ctx = ctx] {
        if (!rw.lock_shared(ctx)) rw.unlock_shared();
      });
      for (int k = 0; k < 3; ++k) yield();  // it waits
      cancel();
      rw.unlock();
      all.wait();
    }
    over = true;
    blocking([&] { comes_and_goes.join(); });
    CHECK_FALSE(forgotten);
  });
}

TEST_CASE("one cancel against one unlock of a reader-writer lock", "[context][rw_mutex]") {
  hang_guard guard("a cancel and an unlock pass each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, locked = 0;
    for (int i = 0; goes_on(i, scaled(3000), canceled, locked); ++i) {
      auto rw = std::make_unique<rw_mutex>();
      auto [ctx, cancel] = with_cancel(background());
      const bool write = i / 2 % 2;
      write ? rw->lock_shared() : rw->lock();
      wait_group all;
      race(
          all, i, [raw = rw.get(), write] { write ? raw->unlock_shared() : raw->unlock(); }, [&] { cancel(); });
      const std::error_code err = write ? rw->lock(ctx) : rw->lock_shared(ctx);
      if (!err) write ? rw->unlock() : rw->unlock_shared();
      ++(err ? canceled : locked);
      rw->lock();
      rw.reset();  // while the unlocker may still be returning
      all.wait();
    }
    CHECK(canceled > 0);
    CHECK(locked > 0);
  });
}

TEST_CASE("a wait for a condition ends with its context, holding the lock", "[context][cond]") {
  hang_guard guard("a cancelled wait for a condition goes on");
  in_world(GENERATE(1, 4), [] {
    mutex mu;
    cond changed;
    std::unique_lock lock(mu);
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(changed.wait(ctx, lock, [] { return false; }) == errc::deadline_exceeded);
    CHECK_FALSE(mu.try_lock());
    CHECK(changed.wait(ctx, lock) == errc::deadline_exceeded);
    CHECK_FALSE(changed.wait(ctx, lock, [] { return true; }));
    bool set = false;
    go([&] {
      const std::lock_guard hold(mu);
      set = true;
      changed.signal();
    });
    CHECK_FALSE(changed.wait(background(), lock, [&] { return set; }));
  });
}

TEST_CASE("a signal wakes a waiter that stays, not one that is cancelled", "[context][cond]") {
  hang_guard guard("a signal went to a waiter that had left");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, woken = 0;
    for (int i = 0; goes_on(i, scaled(3000), canceled, woken); ++i) {
      mutex mu;
      cond changed;
      int waiting = 0;  // under mu
      std::atomic<bool> stayed = false;
      auto [ctx, cancel] = with_cancel(background());
      std::error_code err;
      wait_group waiters, all;
      const auto under_ctx = [&, ctx = ctx] {
        std::unique_lock lock(mu);
        ++waiting;
        err = changed.wait(ctx, lock);
      };
      if (i / 2 % 2) waiters.go(under_ctx);
      waiters.go([&] {
        std::unique_lock lock(mu);
        ++waiting;
        changed.wait(lock);
        stayed = true;
      });
      if (i / 2 % 2 == 0) waiters.go(under_ctx);
      for (;;) {
        {
          const std::lock_guard hold(mu);
          if (waiting == 2) break;
        }
        yield();
      }
      race(
          all, i, [&] { changed.signal(); }, [&] { cancel(); });
      all.wait();
      if (!stayed) changed.signal();  // the first went to the one under the context
      waiters.wait();
      ++(err ? canceled : woken);
    }
    CHECK(canceled + woken == scaled(3000));
    CHECK(canceled > 0);
    CHECK(woken > 0);
  });
}
