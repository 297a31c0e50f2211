// rw_mutex: who excludes whom, misuse, bounded waits, slots.
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
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

namespace {

// One more than 10000 per writer inside: a reader sees 1..9999, a writer 10000.
struct hammered {
  rw_mutex m;
  std::atomic<int> activity = 0;

  void read(int times) {
    for (int i = 0; i < times; ++i) {
      const std::shared_lock hold(m);
      const int n = ++activity;
      MUST(n >= 1 && n < 10000);
      if (i % 20 == 0) yield();
      --activity;
    }
  }
  void write(int times) {
    for (int i = 0; i < times; ++i) {
      const std::lock_guard hold(m);
      const int n = activity += 10000;
      MUST(n == 10000);
      if (i % 20 == 0) yield();
      activity -= 10000;
    }
  }
};

// Readers on several Ps lose races against each other until they are counted in slots, if there is
// more than one CPU.
void make_readers_collide(rw_mutex& m) {
  wait_group all;
  for (int f = 0; f < 4; ++f)
    all.go([&] {
      for (int i = 0; i < scaled(20'000); ++i) {
        m.lock_shared();
        m.unlock_shared();
      }
    });
  all.wait();
}

}  // namespace

TEST_CASE("readers hold the lock together", "[sync][rw_mutex][SYN-10]") {
  hang_guard guard("readers keep each other out");
  const auto [readers, procs] = GENERATE(std::pair(1, 4), std::pair(3, 4), std::pair(4, 2), std::pair(10, 1));
  in_world(procs, [n = readers] {
    rw_mutex m;
    auto locked = make_chan<void>(), go_on = make_chan<void>();
    wait_group all;
    for (int i = 0; i < n; ++i)
      all.go([&, locked, go_on] {
        m.lock_shared();
        locked.send();
        go_on.recv();
        m.unlock_shared();
      });
    for (int i = 0; i < n; ++i) locked.recv();
    for (int i = 0; i < n; ++i) go_on.send();
    all.wait();
  });
}

TEST_CASE("a writer is alone, a reader only among readers", "[sync][rw_mutex][SYN-11][SYN-47]") {
  hang_guard guard("a hammered lock hangs");
  in_world(GENERATE(1, 2, 4, 10, 16), [] {
    for (int readers : {1, 3, 10})
      for (int round = 0; round < scaled(20); ++round) {
        hammered h;
        wait_group all;
        for (int i = 0; i < 2; ++i) all.go([&] { h.write(200); });
        for (int i = 0; i < readers; ++i) all.go([&] { h.read(200); });
        all.wait();
        REQUIRE(h.activity == 0);
        REQUIRE(h.m.try_lock());
        h.m.unlock();
      }
  });
}

TEST_CASE("what a lock guards is seen whole by the next holder", "[sync][rw_mutex][SYN-47]") {
  hang_guard guard("a guarded value");
  in_world(GENERATE(1, 2, 4, 16), [] {
    rw_mutex m;
    int a = 0, b = 0;  // TSan sees any lack of order
    wait_group all;
    for (int f = 0; f < 6; ++f)
      all.go([&, f] {
        for (int i = 0; i < scaled(4000); ++i) {
          if ((i + f) % 50 == 0) {
            const std::lock_guard hold(m);
            ++a;
            ++b;
          } else {
            const std::shared_lock hold(m);
            MUST(a == b);
          }
        }
      });
    all.wait();
    CHECK(a == b);
  });
}

TEST_CASE("plain threads and fibers share a reader-writer lock", "[sync][rw_mutex][SYN-11]") {
  hang_guard guard("a lock between threads and fibers lost a waiter");
  for (int procs : {1, 4}) {
    hammered h;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([&] { h.read(scaled(2000)); });
    threads.emplace_back([&] { h.write(scaled(500)); });
    in_world(procs, [&] {
      wait_group all;
      for (int i = 0; i < 4; ++i) all.go([&] { h.read(scaled(2000)); });
      all.go([&] { h.write(scaled(500)); });
      all.wait();
    });
    for (auto& t : threads) t.join();
    CHECK(h.activity == 0);
  }
}

TEST_CASE("unlocking what is not locked so panics and leaves the lock as it was", "[sync][rw_mutex][SYN-03]") {
  const bool after_collisions = GENERATE(false, true);
  in_world(GENERATE(1, 4), [after_collisions] {
    rw_mutex m;
    if (after_collisions) make_readers_collide(m);
    const char* const no_writer = "Unlock of unlocked RWMutex";
    const char* const no_reader = "RUnlock of unlocked RWMutex";
    CHECK_THAT(panic_of([&] { m.unlock(); }), Contains(no_writer));
    CHECK_THAT(panic_of([&] { m.unlock_shared(); }), Contains(no_reader));
    m.lock_shared();
    CHECK_THAT(panic_of([&] { m.unlock(); }), Contains(no_writer));
    m.unlock_shared();
    CHECK_THAT(panic_of([&] { m.unlock_shared(); }), Contains(no_reader));
    m.lock();
    CHECK_THAT(panic_of([&] { m.unlock_shared(); }), Contains(no_reader));
    m.unlock();
    CHECK_THAT(panic_of([&] { m.unlock(); }), Contains(no_writer));
    CHECK(m.try_lock());
    CHECK_FALSE(m.try_lock_shared());
    m.unlock();
    CHECK(m.try_lock_shared());
    CHECK_FALSE(m.try_lock());
    m.unlock_shared();
  });
}

TEST_CASE("readers that collided are counted right by the writers after them", "[sync][rw_mutex][SYN-11]") {
  hang_guard guard("a writer misses readers in slots");
  in_world(GENERATE(2, 4, 16), [] {
    rw_mutex m;
    for (int round = 0; round < scaled(40); ++round) {
      make_readers_collide(m);
      m.lock_shared();
      REQUIRE_FALSE(m.try_lock());
      yield();  // perhaps to another P
      m.unlock_shared();
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("a read lock may be given up on another P and by another fiber", "[sync][rw_mutex]") {
  hang_guard guard("a moved read lock");
  in_world(GENERATE(1, 2, 4, 16), [] {
    rw_mutex m;
    for (int round = 0; round < scaled(100); ++round) {
      if (round % 10 == 0) make_readers_collide(m);
      auto held = make_chan<void>(64);
      wait_group all;
      for (int i = 0; i < 16; ++i) {
        all.go([&, held] {
          m.lock_shared();
          held.send();
        });
        all.go([&, held] {
          held.recv();
          m.unlock_shared();
        });
      }
      all.go([&] {
        m.lock();
        m.unlock();
      });
      all.wait();
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("bounded waits for a reader-writer lock end in time or with the lock", "[sync][rw_mutex]") {
  hang_guard guard("a bounded wait hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    rw_mutex m;
    m.lock();
    const time_point began = now();
    CHECK_FALSE(m.try_lock_for(2ms));
    CHECK_FALSE(m.try_lock_shared_for(2ms));
    CHECK(now() - began >= 4ms);
    CHECK_FALSE(m.try_lock_until(now() + 1ms));
    CHECK_FALSE(m.try_lock_shared_until(now() + 1ms));
    m.unlock();
    CHECK(std::unique_lock(m, 1h).owns_lock());
    CHECK(std::shared_lock(m, 1h).owns_lock());
    m.lock_shared();
    CHECK_FALSE(m.try_lock_for(1ms));
    CHECK(m.try_lock_shared());  // the writer that has left blocks no reader
    m.unlock_shared();
    m.unlock_shared();
    CHECK(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("a writer that gives up lets in the readers it kept out", "[sync][rw_mutex][SYN-12]") {
  hang_guard guard("readers wait for a writer that has gone");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(40); ++round) {
      rw_mutex m;
      m.lock_shared();
      wait_group all;
      for (int i = 0; i < 4; ++i)
        all.go([&, i] {
          if (i == 0) {
            if (m.try_lock_for(1ms)) m.unlock();
          } else {
            sleep(100us);
            m.lock_shared();
            m.unlock_shared();
          }
        });
      all.wait();  // with our read lock held: only the writer waits for it
      m.unlock_shared();
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("readers and writers that give up lose nobody else", "[sync][rw_mutex][SYN-11]") {
  hang_guard guard("a lock forgot a waiter beside ones that gave up");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(40); ++round) {
      rw_mutex m;
      int written = 0, expected = 0;
      wait_group all;
      std::atomic<int> writes = 0;
      for (int f = 0; f < 12; ++f)
        all.go([&, f] {
          for (int i = 0; i < 30; ++i) {
            const auto limit = std::chrono::microseconds((f * 7 + i) % 60);
            if (f % 3 == 0) {
              if (f < 6) m.lock();
              else if (!m.try_lock_for(limit)) continue;
              ++written;
              ++writes;
              if (i % 8 == 0) sleep(20us);
              m.unlock();
            } else {
              if (f < 6) m.lock_shared();
              else if (!m.try_lock_shared_for(limit)) continue;
              if (i % 8 == 0) sleep(20us);
              m.unlock_shared();
            }
          }
        });
      all.wait();
      expected = writes;
      REQUIRE(written == expected);
      REQUIRE(m.try_lock());
      m.unlock();
    }
  });
}

TEST_CASE("a reader-writer lock may be destroyed by whoever locked it last", "[sync][rw_mutex]") {
  hang_guard guard("a reader-writer lock on a stack");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(4000); ++i) {
      auto m = std::make_unique<rw_mutex>();
      const bool reader_first = i % 2;
      if (i % 97 == 1) make_readers_collide(*m);
      if (reader_first) m->lock_shared();
      else m->lock();
      go([at = m.get(), reader_first] {
        if (reader_first) at->unlock_shared();
        else at->unlock();
      });
      if (i % 3 == 0 && !reader_first) m->lock_shared();
      else m->lock();
      m.reset();  // the fiber above may still be inside its unlock
    }
  });
}
