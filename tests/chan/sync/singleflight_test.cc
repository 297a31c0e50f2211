// singleflight.
#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
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

using group = singleflight<std::string, std::string>;

TEST_CASE("a call alone returns its value, not shared", "[sync][singleflight][SF-01]") {
  in_world(GENERATE(1, 4), [] {
    group g;
    const auto [value, shared] = g.call("key", [] { return "bar"; });
    CHECK(value == "bar");
    CHECK_FALSE(shared);
    int calls = 0;
    for (int i = 0; i < 3; ++i) g.call("key", [&] { return std::to_string(++calls); });
    CHECK(calls == 3);  // one after the other: nothing is kept
  });
}

TEST_CASE("calls at once share one execution", "[sync][singleflight][SF-01]") {
  hang_guard guard("a shared call hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    // One that has come may be kept by the machine from calling until the others are through: then
    // it flies alone. All do so in one round, but not in each.
    const int rounds = scaled(200);
    int all_calls = 0, all_shared = 0;
    for (int round = 0; round < rounds; ++round) {
      group g;
      std::atomic<int> calls = 0, shared = 0, came = 0;
      auto go_on = make_chan<void>();
      wait_group all;
      for (int i = 0; i < 10; ++i)
        all.go([&, go_on] {
          ++came;
          const auto r = g.call("key", [&] {
            ++calls;
            go_on.recv();
            return "bar";
          });
          MUST(r.value == "bar");
          if (r.shared) ++shared;
        });
      await([&] { return came == 10 && calls > 0; });
      go_on.close();
      all.wait();
      REQUIRE(calls >= 1);
      REQUIRE(shared + calls >= 10);  // a call that was not shared has executed alone
      all_calls += calls;
      all_shared += shared;
    }
    REQUIRE(rounds >= 5);
    REQUIRE(all_calls < 10 * rounds);
    REQUIRE(all_shared > 0);
  });
}

TEST_CASE("different keys do not wait for each other", "[sync][singleflight][SF-01]") {
  hang_guard guard("keys wait for each other");
  in_world(GENERATE(1, 4), [] {
    singleflight<int, int> g;
    CHECK(g.call(1, [&] { return g.call(2, [] { return 40; }).value + 2; }).value == 42);
  });
}

TEST_CASE("what the function throws all its callers get", "[sync][singleflight][SF-01]") {
  hang_guard guard("a call that throws hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(100); ++round) {
      group g;
      std::atomic<int> came = 0, calls = 0;
      auto go_on = make_chan<void>();
      // All hold one exception object. The last owner frees it, by a count in the C++ library that
      // TSan does not see: it is looked at when all have it, not by each fiber for itself.
      std::array<std::exception_ptr, 5> caught;
      wait_group all;
      for (std::exception_ptr& mine : caught)
        all.go([&, go_on] {
          ++came;
          try {
            g.call("key", [&]() -> std::string {
              ++calls;
              go_on.recv();
              throw std::runtime_error("no such thing");
            });
          } catch (...) {
            mine = std::current_exception();
          }
        });
      await([&] { return came == 5 && calls > 0; });
      go_on.close();
      all.wait();
      for (const std::exception_ptr& e : caught) {
        REQUIRE(e);
        REQUIRE_THROWS_WITH(std::rethrow_exception(e), "no such thing");
      }
      REQUIRE(g.call("key", [] { return "fine"; }).value == "fine");
    }
  });
}

TEST_CASE("after forget a call starts anew, and later ones join that", "[sync][singleflight][SF-02]") {
  hang_guard guard("forget hangs");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(100); ++round) {
      singleflight<std::string, int> g;
      auto first_runs = make_chan<void>(), end_first = make_chan<void>(), end_second = make_chan<void>(),
           second_runs = make_chan<void>();
      auto first = g.call_chan("key", [=] {
        first_runs.send();
        end_first.recv();
        return 1;
      });
      first_runs.recv();
      g.forget("key");
      auto second = g.call_chan("key", [=] {
        second_runs.send();
        end_second.recv();
        return 2;
      });
      second_runs.recv();
      end_first.close();
      REQUIRE(first.recv()->value == 1);  // its landing does not forget the second
      auto third = g.call_chan("key", [] { return 3; });
      end_second.close();
      const auto two = second.recv(), also_two = third.recv();
      REQUIRE(two->value == 2);
      REQUIRE(also_two->value == 2);
      REQUIRE(two->shared);
      REQUIRE(also_two->shared);
    }
  });
}

TEST_CASE("the channel of a call gives one outcome", "[sync][singleflight][SF-03]") {
  hang_guard guard("a call's channel hangs");
  in_world(GENERATE(1, 2, 4), [] {
    group g;
    auto c = g.call_chan("key", [p = std::make_unique<std::string>("bar")] { return *p; });
    const auto r = c.recv();
    REQUIRE(r.has_value());
    CHECK(r->value == "bar");
    CHECK_FALSE(r->shared);
    CHECK_FALSE(c.recv().has_value());
  });
}

TEST_CASE("a goexit in the function ends all who wait, and hangs nobody", "[sync][singleflight][SF-05]") {
  hang_guard guard("goexit leaves somebody waiting");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(100); ++round) {
      group g;
      std::atomic<int> came = 0, calls = 0, returned = 0, unwound = 0;
      struct at_end {
        std::atomic<int>& n;
        ~at_end() { ++n; }
      };
      auto go_on = make_chan<void>();
      wait_group all;
      for (int i = 0; i < 6; ++i)
        all.go([&, go_on] {
          const at_end counts{unwound};
          ++came;
          g.call("key", [&]() -> std::string {
            ++calls;
            go_on.recv();
            goexit();
          });
          ++returned;
        });
      await([&] { return came == 6 && calls > 0; });
      auto c = g.call_chan("key", [] { return "joined too late"; });
      go_on.close();
      all.wait();
      if (const auto r = c.recv()) REQUIRE(r->value == "joined too late");
      REQUIRE(returned == 0);
      REQUIRE(unwound == 6);
    }
  });
}

TEST_CASE("plain threads share calls with fibers", "[sync][singleflight][SF-01]") {
  hang_guard guard("threads and fibers share a call");
  in_world(GENERATE(1, 4), [] {
    for (int round = 0; round < scaled(40); ++round) {
      singleflight<int, int> g;
      std::atomic<int> sum = 0;
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] { sum += g.call(1, [] { return std::this_thread::yield(), 1; }).value; });
      wait_group all;
      for (int i = 0; i < 3; ++i) all.go([&] { sum += g.call(1, [] { return yield(), 1; }).value; });
      all.wait();
      blocking([&] {
        for (auto& t : threads) t.join();
      });
      REQUIRE(sum == 6);
    }
  });
}

TEST_CASE("a call whose fiber cannot start is not waited for", "[sync][singleflight]") {
  hang_guard guard("a call waits for a fiber that was not started");
  group g;
  CHECK_THROWS_AS(g.call_chan("key", [] { return "bar"; }), panic);  // no world runs
  CHECK(g.call("key", [] { return "own"; }).value == "own");
}

TEST_CASE("a value whose copy throws leaves no caller waiting", "[sync][singleflight]") {
  hang_guard guard("a copy that throws leaves a waiter");
  struct fragile {
    explicit fragile(bool b) : breaks(b) {}
    fragile(fragile&&) = default;
    fragile(const fragile& o) : breaks(o.breaks) {
      if (breaks) throw std::runtime_error("no copy");
    }
    bool breaks;
  };
  in_world(GENERATE(1, 4), [] {
    singleflight<int, fragile> g;
    auto runs = make_chan<void>(), go_on = make_chan<void>();
    wait_group first;
    first.go([&] {
      CHECK_THROWS_WITH(g.call(1,
                               [&] {
                                 runs.send();
                                 go_on.recv();
                                 return fragile(true);
                               }),
                        "no copy");
    });
    runs.recv();
    auto second = g.call_chan(1, [] { return fragile(false); });
    go_on.send();
    first.wait();
    CHECK_FALSE(second.recv().has_value());
    CHECK_FALSE(g.call(1, [] { return fragile(false); }).value.breaks);
  });
}

TEST_CASE("an exception with somebody at a channel ends the process", "[sync][singleflight][SF-06]") {
  const auto name = GENERATE(as<std::string>(), "chan-throws", "chan-throws-beside-call");
  const outcome o = run_child({beside_this_program("sync_scenarios"), name});
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("the boiler burst"));
  CHECK(o.out.empty());
}
