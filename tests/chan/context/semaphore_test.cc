#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("tokens held never exceed the size, whatever weights are asked for", "[semaphore][SEM-01]") {
  hang_guard guard("a semaphore loses tokens");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int size = 7;
    semaphore sem(size);
    std::atomic<int> held = 0, wrong = 0;
    wait_group all;
    for (int f = 0; f < 12; ++f)
      all.go([&, weight = f % size] {
        for (int i = 0; i < scaled(2000); ++i) {
          sem.acquire(weight);
          if ((held += weight) > size) ++wrong;
          if (i % 8 == 0) yield();
          held -= weight;
          sem.release(weight);
        }
      });
    all.wait();
    CHECK(wrong == 0);
    CHECK(sem.try_acquire(size));
  });
}

TEST_CASE("misuse of a semaphore panics and changes nothing", "[semaphore][SEM-02]") {
  in_world(1, [] {
    semaphore sem(2);
    CHECK_THROWS_AS(sem.release(1), panic);
    sem.acquire(1);
    CHECK_THROWS_AS(sem.release(2), panic);
    CHECK_THROWS_AS(sem.release(-1), panic);
    CHECK_THROWS_AS(sem.acquire(-1), panic);
    CHECK_THROWS_AS(sem.try_acquire(-1), panic);
    CHECK_THROWS_AS(sem.acquire(3), panic);
    CHECK_THROWS_AS(semaphore(-1), panic);
    sem.release(1);
    CHECK(sem.try_acquire(2));
  });
}

TEST_CASE("try_acquire takes what is there and no more", "[semaphore][SEM-03]") {
  in_world(1, [] {
    semaphore sem(2);
    CHECK(sem.try_acquire(2));
    CHECK_FALSE(sem.try_acquire(1));
    sem.release(2);
    CHECK(sem.try_acquire(1));
    CHECK_FALSE(sem.try_acquire(2));
    CHECK(sem.try_acquire(0));
  });
}

TEST_CASE("a request for more than there is waits for its context and holds up nobody", "[semaphore][SEM-05]") {
  hang_guard guard("a request that is too large holds up others");
  in_world(GENERATE(1, 4), [] {
    semaphore sem(2);
    auto [ctx, cancel] = with_cancel(background());
    wait_group large;
    std::error_code seen;
    large.go([&, ctx = ctx] { seen = sem.acquire(ctx, 3); });
    for (int i = 0; i < 100; ++i) {
      sem.acquire(2);
      yield();
      sem.release(2);
    }
    cancel();
    large.wait();
    CHECK(seen == errc::canceled);
  });
}

TEST_CASE("a large request is not starved by small ones, and none goes past it", "[semaphore][SEM-06]") {
  hang_guard guard("a large request starves");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int size = 4;
    semaphore sem(size);
    std::atomic<bool> stop = false;
    wait_group all;
    for (int f = 0; f < size * 2; ++f)
      all.go([&] {
        while (!stop) {
          sem.acquire(1);
          yield();
          sem.release(1);
        }
      });
    sem.acquire(size);
    CHECK_FALSE(sem.try_acquire(1));
    stop = true;
    sem.release(size);
    all.wait();

    sem.acquire(1);
    auto [ctx, cancel] = with_cancel(background());
    all.go([&, ctx = ctx] { (void)sem.acquire(ctx, size); });
    while (sem.try_acquire(1)) {  // until the large one waits
      sem.release(1);
      yield();
    }
    cancel();
    all.wait();
    CHECK(sem.try_acquire(size - 1));
  });
}

TEST_CASE("when the first in line is cancelled those behind it go on", "[semaphore][SEM-07]") {
  hang_guard guard("a cancelled head holds up the queue");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(1000); ++i) {
      semaphore sem(10);
      sem.acquire(1);
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      std::error_code head;
      all.go([&, ctx = ctx] { head = sem.acquire(ctx, 10); });
      while (sem.try_acquire(1)) {
        sem.release(1);
        yield();
      }
      std::atomic<int> went_on = 0;
      for (int k = 0; k < 3; ++k)
        all.go([&] {
          sem.acquire(3);
          ++went_on;
        });
      if (i % 2) yield();
      cancel();
      all.wait();
      if (head != errc::canceled || went_on != 3) FAIL("the queue did not go on");
    }
  });
}

TEST_CASE("an acquire whose context was done first fails, and its tokens are there for others", "[semaphore][SEM-08]") {
  hang_guard guard("a cancelled acquire keeps tokens");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto [done, cancel_done] = with_cancel(background());
    cancel_done();
    semaphore free(1);
    CHECK(free.acquire(done, 1) == errc::canceled);
    CHECK(free.acquire(done, 0) == errc::canceled);
    CHECK(free.try_acquire(1));

    for (int i = 0; i < scaled(2000); ++i) {
      semaphore sem(1);
      sem.acquire(1);
      auto [ctx, cancel] = with_cancel(background());
      std::error_code seen;
      wait_group all;
      all.go([&, ctx = ctx] { seen = sem.acquire(ctx, 1); });
      if (i % 2) yield();
      // As soon as the context is seen to be done, the token comes.
      all.go([&] {
        while (!ctx.err()) yield();
        sem.release(1);
      });
      cancel();
      all.wait();
      if (seen != errc::canceled) FAIL("acquired after the context was done");
      if (!sem.try_acquire(1)) FAIL("a token is lost");
    }
  });
}

TEST_CASE("one cancel against one release: the tokens are held or free", "[semaphore][SEM-08]") {
  hang_guard guard("a cancel and a release pass each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, got = 0;
    for (int i = 0; goes_on(i, scaled(4000), canceled, got); ++i) {
      auto sem = std::make_unique<semaphore>(3);
      sem->acquire(3);
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      race(
          all, i, [raw = sem.get()] { raw->release(3); }, [&] { cancel(); });
      const std::error_code err = sem->acquire(ctx, 2);
      if (!err) sem->release(2);
      ++(err ? canceled : got);
      sem->acquire(3);  // all tokens are free again, in any order
      sem.reset();      // while the releaser may still be returning
      all.wait();
    }
    CHECK(canceled > 0);
    CHECK(got > 0);
  });
}

TEST_CASE("no token is lost or made while acquires are cancelled", "[semaphore][SEM-01][SEM-08]") {
  hang_guard guard("cancelled acquires lose tokens");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int size = 5;
    semaphore sem(size);
    std::atomic<int> held = 0, wrong = 0;
    std::atomic<long> got = 0, gave_up = 0;
    wait_group all;
    constexpr int fibers = 8;
    const int each = scaled(3000);
    for (int f = 0; f < fibers; ++f)
      all.go([&, f] {
        for (int i = 0; i < each; ++i) {
          const int n = 1 + (i + f) % size;
          auto [ctx, cancel] = i % 2 ? with_timeout(background(), 20us) : with_cancel(background());
          if (i % 4 == 0) go([cancel = std::move(cancel)] { cancel(); });
          if (sem.acquire(ctx, n)) {
            ++gave_up;
            continue;
          }
          if ((held += n) > size) ++wrong;
          if (i % 3 == 0) yield();
          held -= n;
          ++got;
          sem.release(n);
        }
      });
    all.wait();
    CHECK(wrong == 0);
    CHECK(got + gave_up == fibers * each);
    CHECK(sem.try_acquire(size));
  });
}
