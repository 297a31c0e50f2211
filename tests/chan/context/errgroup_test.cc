#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {
const std::error_code full = std::make_error_code(std::errc::no_space_on_device);
const std::error_code broken = std::make_error_code(std::errc::broken_pipe);
}  // namespace

TEST_CASE("wait returns the first error that happened, again at each call", "[errgroup][EG-01]") {
  in_world(GENERATE(1, 4), [] {
    errgroup none;
    CHECK_FALSE(none.wait());
    none.go([] {});
    none.go([] { return std::error_code(); });
    CHECK_FALSE(none.wait());

    errgroup group;
    auto gate = make_chan<void>();
    group.go([gate] {
      gate.recv();
      return broken;
    });
    group.go([gate] {
      gate.close();
      return full;
    });
    const std::error_code e = group.wait();
    CHECK((e == full || e == broken));
    CHECK(group.wait() == e);
    group.go([] { return std::error_code(errc::eof); });
    CHECK(group.wait() == e);
  });
}

TEST_CASE("the first failure cancels the group's context, with itself as the cause", "[errgroup][EG-02][EG-03]") {
  hang_guard guard("the siblings of a failed task go on");
  in_world(GENERATE(1, 4), [] {
    auto [group, ctx] = errgroup::with_context(background());
    std::atomic<int> ended = 0;
    for (int i = 0; i < 10; ++i)
      group.go([&, ctx = ctx] {
        ctx.done().recv();
        ++ended;
        return ctx.err();
      });
    group.go([] { return full; });
    CHECK(group.wait() == full);
    CHECK(ended == 10);
    CHECK(is_over(ctx, errc::canceled));
    CHECK(ctx.cause() == full.message());
  });
}

TEST_CASE("a group's context is cancelled when wait has returned", "[errgroup][EG-02][EG-03]") {
  in_world(1, [] {
    auto [group, ctx] = errgroup::with_context(background());
    group.go([] {});
    CHECK_FALSE(group.wait());
    CHECK(is_over(ctx, errc::canceled));
    CHECK(ctx.cause() == "context canceled");
  });
}

TEST_CASE("the first exception comes out of wait and ends the siblings", "[errgroup][EG-02]") {
  hang_guard guard("the siblings of a task that threw go on");
  in_world(GENERATE(1, 4), [] {
    auto [group, ctx] = errgroup::with_context(background());
    group.go([ctx = ctx] { ctx.done().recv(); });
    group.go([] { throw std::runtime_error("no luck"); });
    CHECK_THROWS_WITH(group.wait(), "no luck");
    CHECK(ctx.cause() == "no luck");
    CHECK_THROWS_WITH(group.wait(), "no luck");
  });
}

TEST_CASE("no more tasks than the limit run at a time", "[errgroup][EG-05]") {
  hang_guard guard("a limited group hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    errgroup group;
    group.set_limit(3);
    std::atomic<int> active = 0, most = 0, ran = 0;
    for (int i = 0; i < scaled(1000); ++i)
      group.go([&] {
        const int now_active = ++active;
        int seen = most;
        while (now_active > seen && !most.compare_exchange_weak(seen, now_active)) {
        }
        yield();
        ++ran;
        --active;
      });
    CHECK_FALSE(group.wait());
    CHECK(ran == scaled(1000));
    CHECK(most <= 3);
  });
}

TEST_CASE("try_go fails while the group is full, and a limit of nought admits nothing", "[errgroup][EG-05]") {
  in_world(GENERATE(1, 4), [] {
    errgroup group;
    auto gate = make_chan<void>();
    group.set_limit(1);
    CHECK(group.try_go([gate] { gate.recv(); }));
    CHECK_FALSE(group.try_go([] {}));
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(group.go(ctx, [] {}) == errc::deadline_exceeded);
    gate.close();
    CHECK_FALSE(group.wait());
    CHECK(group.try_go([] {}));
    CHECK_FALSE(group.wait());
    group.set_limit(0);
    CHECK_FALSE(group.try_go([] {}));
    CHECK_THROWS_AS(group.go([] {}), panic);
    group.set_limit(-1);
    for (int i = 0; i < 10; ++i) CHECK(group.try_go([] {}));
    CHECK_FALSE(group.wait());
  });
}

TEST_CASE("changing the limit under active tasks panics with their number", "[errgroup][EG-06]") {
  in_world(1, [] {
    errgroup group;
    auto gate = make_chan<void>();
    for (int i = 0; i < 3; ++i) group.go([gate] { gate.recv(); });
    CHECK_THROWS_WITH(group.set_limit(5), "errgroup: modify limit while 3 tasks are active");
    gate.close();
    CHECK_FALSE(group.wait());
    group.set_limit(5);
  });
}

TEST_CASE("a task that ends by goexit gives its slot back and is no failure", "[errgroup][EG-07]") {
  hang_guard guard("goexit keeps a slot");
  in_world(GENERATE(1, 4), [] {
    errgroup group;
    group.set_limit(1);
    for (int i = 0; i < 20; ++i) group.go([] { goexit(); });
    CHECK_FALSE(group.wait());
  });
}

TEST_CASE("a group joins when its scope is left, and its tasks are told", "[errgroup]") {
  hang_guard guard("a group that is left does not join");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(500); ++i) {
      std::atomic<int> ended = 0;
      auto held = std::make_shared<int>(0);
      try {
        auto [group, ctx] = errgroup::with_context(background());
        for (int k = 0; k < 4; ++k)
          group.go([&ended, held, ctx = ctx] {
            ctx.done().recv();
            ++ended;
          });
        throw 1;
      } catch (int) {
      }
      if (ended != 4) FAIL("a task outlived its group");
      if (held.use_count() != 1) FAIL("what a task captured outlived its group");
    }
  });
}

TEST_CASE("a wait under a context leaves the tasks alone", "[errgroup]") {
  in_world(GENERATE(1, 4), [] {
    errgroup group;
    auto gate = make_chan<void>();
    group.go([gate] {
      gate.recv();
      return full;
    });
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(group.wait(ctx) == errc::deadline_exceeded);
    gate.close();
    CHECK(group.wait(background()) == full);
  });
}

TEST_CASE("the limit may change as soon as no task is active", "[errgroup][EG-06]") {
  in_world(4, [] {
    for (int i = 0; i < scaled(1000); ++i) {
      errgroup group;
      group.set_limit(1);
      group.go([] {});
      for (bool active = true; active;) {
        try {
          group.set_limit(2);
          active = false;
        } catch (const panic&) {
          yield();
        }
      }
      group.go([] {});
      CHECK(group.try_go([] {}));
      CHECK_FALSE(group.wait());
    }
  });
}
