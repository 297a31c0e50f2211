#include <weft/mutex.h>

#include <atomic>
#include <mutex>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("try_lock succeeds if and only if the mutex is free", "[sync][mutex][SYN-01]") {
  in_world(GENERATE(1, 4), [] {
    mutex m;
    CHECK(m.try_lock());
    CHECK_FALSE(m.try_lock());
    m.unlock();
    m.lock();
    CHECK_FALSE(m.try_lock());
    m.unlock();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("one fiber at a time holds a mutex, however it came by it", "[sync][mutex][SYN-01][SYN-47]") {
  hang_guard guard("a mutex was never handed on");
  in_world(GENERATE(1, 2, 4, 16), [] {
    mutex m;
    long plain = 0, locked = 0;  // plain: the mutex alone orders them
    const int n = scaled(20'000);
    wait_group all;
    for (int f = 0; f < 10; ++f) {
      all.go([&, f] {
        for (int i = 0; i < n; ++i) {
          if (i % 3 == 0 && !m.try_lock()) continue;
          if (i % 3 != 0) m.lock();
          const long before = plain;
          if ((i + f) % 100 == 0) yield();
          plain = before + 1;
          ++locked;
          m.unlock();
        }
      });
    }
    all.wait();
    CHECK(plain == locked);
    CHECK(plain >= 10L * n * 2 / 3);
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("an unlock of a mutex that is not locked panics and does no harm", "[sync][mutex][SYN-02]") {
  in_world(GENERATE(1, 4), [] {
    mutex m;
    const std::string words = "sync: unlock of unlocked mutex";
    CHECK(panic_text([&] { m.unlock(); }) == words);
    m.lock();
    m.unlock();
    CHECK(panic_text([&] { m.unlock(); }) == words);
    CHECK(m.try_lock());
    CHECK_FALSE(m.try_lock());
    m.unlock();
    CHECK(panic_text([&] { m.unlock(); }) == words);
  });
}

TEST_CASE("a mutex may be unlocked by another fiber than locked it", "[sync][mutex]") {
  hang_guard guard("the mutex stays locked");
  in_world(GENERATE(1, 2, 4), [] {
    mutex m;
    m.lock();
    go([&] { m.unlock(); });
    m.lock();
    m.unlock();
  });
}

TEST_CASE("one that wants a mutex now and then gets it from one that wants it always", "[sync][mutex][SYN-05]") {
  hang_guard guard("a mutex starves a fiber");
  in_world(GENERATE(1, 2, 4), [] {
    mutex m;
    std::atomic<bool> stop = false;
    wait_group all;
    all.go([&] {
      while (!stop) {
        m.lock();
        sleep(100us);
        m.unlock();
      }
    });
    for (int i = 0; i < 10; ++i) {
      sleep(100us);
      m.lock();
      m.unlock();
    }
    stop = true;
    all.wait();
  });
}

// The holder sleeps longer than a waiter bears, wakes it, and takes the mutex back before it can
// run. From the second time on the waiter is handed the mutex, and the holder has to queue behind
// it.
TEST_CASE("a waiter that has waited long is handed the mutex, and newcomers wait",
          "[sync][mutex][order][SYN-06][SYN-07]") {
  in_world(1, [] {  // one P: who is woken runs when the other yields
    mutex m;
    bool had_it = false, let_go = false;
    m.lock();
    wait_group all;
    all.go([&] {
      m.lock();
      had_it = true;
      until([&] { return let_go; });
      m.unlock();
    });
    settle();
    sleep(2ms);
    m.unlock();
    REQUIRE(m.try_lock());  // normal mode: first come, first served
    settle();                // the waiter loses, and has waited for more than 1 ms: it starves
    REQUIRE_FALSE(had_it);
    m.unlock();
    CHECK_FALSE(m.try_lock());  // it is the waiter's, though it has not run yet
    REQUIRE_FALSE(had_it);
    settle();
    CHECK(had_it);
    let_go = true;
    all.wait();
    CHECK(m.try_lock());  // and normal again
    m.unlock();
  });
}

TEST_CASE("a mutex that starves goes from waiter to waiter in order, then is normal again", "[sync][mutex][SYN-06]") {
  in_world(1, [] {
    mutex m;
    std::vector<int> order;
    m.lock();
    wait_group all;
    for (int i = 0; i < 5; ++i) {
      all.go([&, i] {
        m.lock();
        order.push_back(i);
        m.unlock();
      });
      settle();
    }
    sleep(2ms);
    m.unlock();
    REQUIRE(m.try_lock());
    settle();  // the first has lost and goes back to the head of the queue
    REQUIRE(order.empty());
    m.unlock();
    CHECK_FALSE(m.try_lock());
    all.wait();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
    for (int i = 0; i < 3; ++i) {
      CHECK(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("a woken waiter that loses the race waits at the head of the queue", "[sync][mutex][SYN-46]") {
  in_world(1, [] {
    mutex m;
    std::vector<int> order;
    m.lock();
    wait_group all;
    for (int i = 0; i < 3; ++i) {
      all.go([&, i] {
        m.lock();
        order.push_back(i);
        m.unlock();
      });
      settle();
    }
    bool held = true;
    for (int times = 0; times < 5 && held; ++times) {
      m.unlock();           // wakes the first
      held = m.try_lock();  // which loses the race, unless it starves by now: a slow machine
      settle();
    }
    CHECK((order.empty() || !held));
    if (held) m.unlock();
    all.wait();
    CHECK(order == std::vector<int>{0, 1, 2});
  });
}

TEST_CASE("a mutex on a stack may end as soon as its last holder has unlocked it", "[sync][mutex]") {
  hang_guard guard("a short-lived mutex hangs");
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(10'000); ++i) {
      auto m = std::make_unique<mutex>();
      m->lock();
      go([at = m.get()] { at->unlock(); });
      m->lock();
      m->unlock();
      m.reset();
    }
  });
}

TEST_CASE("std's locks lock a mutex", "[sync][mutex]") {
  in_world(GENERATE(1, 4), [] {
    mutex a, b;
    {
      std::scoped_lock both(a, b);
      CHECK_FALSE(a.try_lock());
    }
    std::unique_lock one(a, std::defer_lock);
    CHECK(one.try_lock());
  });
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<mutex>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<mutex>);
}
