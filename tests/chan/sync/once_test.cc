// once, once_func, once_value.
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/child.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("many call a once, one runs, all see it done", "[sync][once][SYN-21][SYN-47]") {
  hang_guard guard("a once hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(1000); ++round) {
      once o;
      int ran = 0;  // TSan sees any lack of order
      wait_group all;
      for (int i = 0; i < 10; ++i)
        all.go([&, round] {
          o.call([&] {
            if (round % 8 == 0) sleep(10us);
            ++ran;
          });
          MUST(ran == 1);
        });
      all.wait();
    }
  });
}

TEST_CASE("a once whose function throws is done", "[sync][once][SYN-22]") {
  in_world(GENERATE(1, 4), [] {
    once o;
    CHECK_THROWS_AS(o.call([] { throw std::runtime_error("no"); }), std::runtime_error);
    bool again = false;
    o.call([&] { again = true; });
    CHECK_FALSE(again);
  });
}

TEST_CASE("once_func runs its function once, for all copies", "[sync][once][SYN-21]") {
  hang_guard guard("a once function hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(300); ++round) {
      int ran = 0;
      auto f = once_func([&] { ++ran; });
      std::function<void()> copy = f;
      wait_group all;
      for (int i = 0; i < 8; ++i)
        all.go([&, f, i] {
          if (i % 2) f();
          else copy();
          MUST(ran == 1);
        });
      all.wait();
    }
  });
}

TEST_CASE("once_value gives every caller the one value", "[sync][once][SYN-21]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(300); ++round) {
      std::atomic<int> ran = 0;
      auto f = once_value([&] {
        ++ran;
        return std::make_unique<int>(42);  // move-only
      });
      wait_group all;
      std::atomic<const int*> seen = nullptr;
      for (int i = 0; i < 8; ++i)
        all.go([&] {
          const int* v = f().get();
          MUST(*v == 42);
          const int* first = seen.exchange(v);
          MUST((!first || first == v));
        });
      all.wait();
      REQUIRE(ran == 1);
    }
  });
}

TEST_CASE("every call of a once function that throws throws the same object", "[sync][once][SYN-25][SYN-27]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> ran = 0;
    auto f = once_func([&] {
      ++ran;
      throw std::runtime_error("the one and only");
    });
    auto g = once_value([&]() -> int { throw 7; });
    std::atomic<const std::exception*> seen = nullptr;
    wait_group all;
    for (int i = 0; i < 20; ++i)
      all.go([&] {
        try {
          f();
          MUST(false && "did not throw");
        } catch (const std::runtime_error& e) {
          MUST(std::string(e.what()) == "the one and only");
          const std::exception* first = seen.exchange(&e);
          MUST((!first || first == &e));
        }
        try {
          g();
          MUST(false && "did not throw");
        } catch (int v) {
          MUST(v == 7);
        }
      });
    all.wait();
    CHECK(ran == 1);
  });
}

TEST_CASE("a once function that calls goexit ends its first caller and is an error to the next",
          "[sync][once][SYN-26]") {
  in_world(GENERATE(1, 4), [] {
    int ran = 0;
    auto f = once_func([&] {
      ++ran;
      goexit();
    });
    wait_group all;
    bool returned = false;
    all.go([&] {
      f();
      returned = true;
    });
    all.wait();
    CHECK_FALSE(returned);
    CHECK_THAT(panic_of(f), Contains("goexit"));
    CHECK(ran == 1);
  });
}

TEST_CASE("a once function lets go of what it holds when it has run", "[sync][once][SYN-28]") {
  in_world(GENERATE(1, 4), [] {
    const bool fails = GENERATE(false, true);
    auto held = std::make_shared<int>(1);
    std::weak_ptr<int> watched = held;
    auto f = once_func([held = std::move(held), fails] {
      if (fails) throw std::runtime_error("no");
    });
    CHECK_FALSE(watched.expired());
    if (fails) CHECK_THROWS(f());
    else f();
    CHECK(watched.expired());
    auto g = once_value([p = std::make_unique<int>(5)] { return *p; });  // move-only function
    CHECK(g() == 5);
  });
}

TEST_CASE("a once called from within itself is a deadlock", "[sync][once][SYN-23]") {
  const outcome o = run_child({beside_this_program("sync_scenarios"), "once-within-itself"});
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Contains("deadlock"));
}
