// pool.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Counts how many of it live.
struct counted {
  static inline std::atomic<int> alive = 0;
  int value = 0;
  explicit counted(int v = 0) : value(v) { ++alive; }
  counted(counted&& other) noexcept : value(other.value) { ++alive; }
  ~counted() { --alive; }
};

}  // namespace

TEST_CASE("an empty pool without a make gives null", "[sync][pool][SYN-35]") {
  in_world(GENERATE(1, 4), [] {
    pool<int> p;
    CHECK(p.get() == nullptr);
    p.put(nullptr);
    CHECK(p.get() == nullptr);
    p.put(std::make_unique<int>(1));
    p.put(std::make_unique<int>(2));
    const auto a = p.get(), b = p.get();
    CHECK((a && b));
    CHECK(*a + *b == 3);
    CHECK(p.get() == nullptr);
  });
}

TEST_CASE("a pool makes an object only if it has none", "[sync][pool][SYN-35]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> made = 0;
    pool<int> p([&] { return std::make_unique<int>(++made); });
    CHECK(*p.get() == 1);
    CHECK(*p.get() == 2);
    p.put(std::make_unique<int>(42));
    CHECK(*p.get() == 42);
    CHECK(made == 2);
    for (int i = 0; i < 100; ++i) p.put(std::make_unique<int>(i));
    for (int i = 0; i < 100; ++i) p.get();
    CHECK(made == 2);
    CHECK(*p.get() == 3);
    pool<counted> by_value([n = std::make_unique<int>(7)] { return counted(*n); });
    CHECK(by_value.get()->value == 7);
  });
}

TEST_CASE("what one P has put another gets before anything is made", "[sync][pool][SYN-35]") {
  hang_guard guard("a pool hangs");
  in_world(GENERATE(2, 4, 16), [] {
    pool<int> p;
    wait_group all;
    for (int f = 0; f < 8; ++f)
      all.go([&] {
        for (int i = 0; i < 50; ++i) {
          p.put(std::make_unique<int>(1));
          if (i % 8 == 0) yield();
        }
      });
    all.wait();
    int sum = 0;
    while (const auto one = p.get()) sum += *one;
    CHECK(sum == 8 * 50);
  });
}

TEST_CASE("objects outlive one period unused and not two", "[sync][pool][SYN-36]") {
  in_world(GENERATE(1, 4), [] {
    {
      pool<counted> p;
      for (int i = 0; i < 100; ++i) p.put(std::make_unique<counted>(i));
      CHECK(counted::alive == 100);
      p.trim();
      CHECK(counted::alive == 100);
      CHECK(p.get() != nullptr);  // was 99 of them
      CHECK(counted::alive == 99);
      p.put(std::make_unique<counted>(0));  // this one is new
      p.trim();
      CHECK(counted::alive == 1);
      CHECK(p.get() != nullptr);
      CHECK(p.get() == nullptr);
      for (int i = 0; i < 10; ++i) p.put(std::make_unique<counted>(i));
    }
    CHECK(counted::alive == 0);  // a pool's end destroys what it keeps
  });
}

TEST_CASE("a pool in use ages by the clock", "[sync][pool][SYN-36]") {
  hang_guard guard("a pool does not age");
  in_world(GENERATE(1, 4), [] {
    pool<counted> p(nullptr, 2ms);
    for (int i = 0; i < 100; ++i) p.put(std::make_unique<counted>(i));
    await([&] {  // one object goes in and out, the others are not used
      for (int i = 0; i < 300; ++i) p.put(p.get());
      return counted::alive < 10;
    });
  });
  CHECK(counted::alive == 0);
}

TEST_CASE("objects come out of a pool as they went in, each once", "[sync][pool][SYN-37][SYN-38]") {
  hang_guard guard("a pool under stress hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    pool<int> p;
    const int n = scaled(20'000);
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n) * 4);
    std::atomic<int> got = 0;
    wait_group all;
    for (int f = 0; f < 4; ++f)
      all.go([&, f] {
        for (int i = 0; i < n; ++i) {
          p.put(std::make_unique<int>(f * n + i));
          if (i % 64 == 0) yield();
        }
      });
    for (int f = 0; f < 6; ++f)
      all.go([&] {
        while (got < 4 * n) {
          if (const auto one = p.get()) {
            ++seen[static_cast<std::size_t>(*one)];
            ++got;
          } else {
            yield();
          }
        }
      });
    all.wait();
    int wrong = 0;
    for (const auto& times : seen) wrong += times == 1 ? 0 : 1;
    CHECK(wrong == 0);
    CHECK(p.get() == nullptr);
  });
}

TEST_CASE("trimming goes on beside getting and putting", "[sync][pool][SYN-37]") {
  hang_guard guard("a pool under stress hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    pool<std::vector<int>> p([] { return std::make_unique<std::vector<int>>(4, 9); });
    std::atomic<bool> over = false;
    wait_group all, trimmer;
    trimmer.go([&] {
      while (!over) {
        p.trim();
        sleep(50us);
      }
    });
    for (int f = 0; f < 10; ++f)
      all.go([&] {
        for (int i = 0; i < scaled(4000); ++i) {
          auto a = p.get(), b = p.get();
          MUST(a->size() == 4 && b->at(3) == 9 && a != b);
          if (i % 32 == 0) yield();
          p.put(std::move(a));
          p.put(std::move(b));
        }
      });
    all.wait();
    over = true;
    trimmer.wait();
  });
}

TEST_CASE("plain threads use a pool, with and without a world", "[sync][pool][SYN-37]") {
  pool<int> p([] { return 5; });
  const auto work = [&] {
    for (int i = 0; i < scaled(20'000); ++i) {
      auto a = p.get();
      MUST(*a == 5);
      p.put(std::move(a));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(work);
  in_world(2, [&] {
    wait_group all;
    for (int i = 0; i < 4; ++i) all.go(work);
    all.wait();
  });
  for (auto& t : threads) t.join();
  CHECK(*p.get() == 5);
}

TEST_CASE("a pool with the longest period keeps its objects, and none has a negative one", "[sync][pool]") {
  pool<int> p(nullptr, duration::max());
  for (int i = 0; i < 100; ++i) p.put(std::make_unique<int>(i));
  for (int i = 0; i < 2000; ++i) p.put(p.get());
  int kept = 0;
  while (p.get()) ++kept;
  CHECK(kept == 100);
  CHECK_THROWS_WITH(pool<int>(nullptr, -1ns), "pool: negative period");
}
