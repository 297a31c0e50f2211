#include <weft/async.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("get returns what the fiber returned", "[async]") {
  hang_guard guard("a task never ends");
  in_world(GENERATE(1, 2, 4, 16), [] {
    CHECK(async([] { return 7; }).get() == 7);
    CHECK(async([](int a, std::string b) { return b + std::to_string(a); }, 3, "x").get() == "x3");
    CHECK(*async([] { return std::make_unique<int>(5); }).get() == 5);
    bool ran = false;
    async([&] { ran = true; }).get();
    CHECK(ran);
    std::vector<task<int>> tasks;
    for (int i = 0; i < scaled(2000); ++i) {
      tasks.push_back(async([i] {
        if (i % 7 == 0) yield();
        return i;
      }));
    }
    for (int i = 0; i < scaled(2000); ++i) REQUIRE(tasks[static_cast<std::size_t>(i)].get() == i);
  });
}

TEST_CASE("get rethrows what left the fiber", "[async]") {
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(500); ++i) {
      auto t = async([i]() -> int {
        if (i % 2 == 0) yield();
        throw std::runtime_error("failure " + std::to_string(i));
      });
      try {
        t.get();
        FAIL("no exception");
      } catch (const std::runtime_error& e) {
        REQUIRE(e.what() == "failure " + std::to_string(i));
      }
    }
  });
}

// By the state, which it releases last, the fiber would destroy what the caller has read.
TEST_CASE("the exception of a task ends with the handler that caught it", "[async]") {
  struct counted {
    std::atomic<int>* alive;
    explicit counted(std::atomic<int>* n) : alive(n) { ++*alive; }
    counted(const counted& o) : alive(o.alive) { ++*alive; }
    ~counted() { --*alive; }
  };
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(2000); ++i) {
      std::atomic<int> alive = 0;
      auto t = async([&]() -> int { throw counted(&alive); });
      try {
        t.get();
        FAIL("no exception");
      } catch (const counted&) {
        REQUIRE(alive == 1);
      }
      REQUIRE(alive == 0);
    }
  });
}

TEST_CASE("arguments are copied or moved when the fiber is started", "[async]") {
  in_world(GENERATE(1, 4), [] {
    std::string s = "before";
    auto t = async([](const std::string& at) { return at; }, s);
    s = "after";
    CHECK(t.get() == "before");
    auto p = std::make_unique<int>(8);
    CHECK(async([](std::unique_ptr<int> q) { return *q; }, std::move(p)).get() == 8);
    int local = 1;
    async([](int& at) { at = 2; }, std::ref(local)).get();
    CHECK(local == 2);
  });
}

TEST_CASE("a result is fetched once", "[async]") {
  in_world(1, [] {
    auto t = async([] { return 1; });
    t.wait();
    t.wait();
    CHECK(t.get() == 1);
    CHECK_THROWS_AS(t.get(), panic);
    CHECK_THROWS_AS(t.wait(), panic);
    CHECK_THROWS_AS(task<int>().get(), panic);
    task<int> a = async([] { return 2; }), b = std::move(a);
    CHECK_THROWS_AS(a.get(), panic);  // NOLINT: a moved-from task has no result
    CHECK(b.get() == 2);
  });
}

TEST_CASE("a task that nobody asks runs to its end and its result is destroyed", "[async]") {
  in_world(GENERATE(1, 4), [] {
    auto counted = std::make_shared<int>(0);
    std::atomic<int> ended = 0;
    for (int i = 0; i < 100; ++i) {
      async([counted, &ended] {
        yield();
        ++ended;
        return counted;
      });
    }
    until([&] { return ended == 100 && num_fibers() == 1; });
    CHECK(counted.use_count() == 1);
  });
}

TEST_CASE("a task whose fiber calls goexit ends with a panic", "[async][GO-33]") {
  hang_guard guard("a task never ends");
  in_world(GENERATE(1, 4), [] {
    CHECK_THROWS_AS(async([]() -> int { goexit(); }).get(), panic);
    CHECK_THROWS_AS(async([] { goexit(); }).get(), panic);
  });
}

TEST_CASE("what the fiber did is seen after get", "[async]") {
  in_world(GENERATE(2, 4), [] {
    for (int i = 0; i < scaled(2000); ++i) {
      int plain = 0;  // the task alone orders it
      auto t = async([&] { plain = i; });
      t.get();
      REQUIRE(plain == i);
    }
  });
}

TEST_CASE("what a task captured, and its arguments, are destroyed before get returns", "[chan][async]") {
  in_world(GENERATE(1, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      const auto shared = std::make_shared<int>(i);
      auto t = async([shared](const std::shared_ptr<int>& p) { return *p + *shared; }, shared);
      REQUIRE(t.get() == 2 * i);
      REQUIRE(shared.use_count() == 1);
    }
  });
}
