// Contexts that end by themselves.
#include <atomic>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("after its deadline a context is done, whether that was past, now or soon", "[context][CTX-06]") {
  hang_guard guard("a deadline never comes");
  in_world(GENERATE(1, 4), [] {
    for (const duration d : {duration(-1h), duration(0), duration(1ms), duration(5ms)}) {
      const time_point start = now();
      auto [ctx, cancel] = with_deadline(background(), start + d);
      CHECK(ctx.deadline() == start + d);
      if (d.count() <= 0) CHECK(ctx.err() == errc::deadline_exceeded);
      ctx.done().recv();
      CHECK(now() >= start + d);
      CHECK(is_over(ctx, errc::deadline_exceeded));
      CHECK(ctx.cause() == "context deadline exceeded");
      cancel();
      CHECK(ctx.err() == errc::deadline_exceeded);
    }
  });
}

TEST_CASE("a deadline is never later than the parent's", "[context][CTX-07]") {
  hang_guard guard("a deadline never comes");
  in_world(GENERATE(1, 4), [] {
    const time_point soon = now() + 10ms;
    auto [parent, cancel] = with_deadline(background(), soon);
    auto [later, cancel_later] = with_timeout(parent, 1h);
    auto [without, cancel_without] = with_cancel(later);
    CHECK(later.deadline() == soon);
    CHECK(without.deadline() == soon);
    auto [earlier, cancel_earlier] = with_deadline(parent, soon - 5ms);
    CHECK(earlier.deadline() == soon - 5ms);
    earlier.done().recv();
    without.done().recv();
    CHECK(is_over(later, errc::deadline_exceeded));
    CHECK(earlier.err() == errc::deadline_exceeded);
  });
}

TEST_CASE("a context cancelled before its deadline is cancelled, and its timer is gone", "[context][CTX-08]") {
  in_world(GENERATE(1, 4), [] {
    for (;;) {
      auto [ctx, cancel] = with_timeout(background(), 5ms);
      cancel();
      if (ctx.err() == errc::deadline_exceeded && now() > *ctx.deadline()) continue;  // the machine was slow
      const time_point start = now();
      while (now() - start < 10ms) yield();
      CHECK(is_over(ctx, errc::canceled));
      break;
    }
    // The world would not end as it began if these left timers or fibers behind.
    std::vector<cancelable> many;
    for (int i = 0; i < 1000; ++i) many.push_back(with_timeout(background(), 1h));
    CHECK(num_fibers() == 1);
  });
}

TEST_CASE("what ends a context with a deadline first gives the cause", "[context][CTX-20]") {
  hang_guard guard("a deadline never comes");
  in_world(GENERATE(1, 4), [] {
    auto [fired, cancel_fired] = with_timeout_cause(background(), 1ms, "too slow");
    fired.done().recv();
    CHECK(fired.err() == errc::deadline_exceeded);
    CHECK(fired.cause() == "too slow");

    auto [early, cancel_early] = with_timeout_cause(background(), 1h, "too slow");
    cancel_early();
    CHECK(early.err() == errc::canceled);
    CHECK(early.cause() == "context canceled");

    auto [parent, cancel_parent] = with_cancel_cause(background());
    auto [child, cancel_child] = with_timeout_cause(parent, 1h, "too slow");
    cancel_parent("the parent's");
    CHECK(child.err() == errc::canceled);
    CHECK(child.cause() == "the parent's");

    auto [past, cancel_past] = with_deadline_cause(background(), now() - 1s, "long ago");
    CHECK(past.err() == errc::deadline_exceeded);
    CHECK(past.cause() == "long ago");
  });
}

TEST_CASE("an exceeded deadline counts as a timeout", "[context][CTX-17]") {
  const std::error_code e = errc::deadline_exceeded;
  CHECK(e == std::errc::timed_out);
  CHECK(e != errc::timeout);
  CHECK(e.message() == "context deadline exceeded");
  CHECK(std::error_code(errc::canceled) != std::errc::timed_out);
}

TEST_CASE("a deadline races with cancel and with the parent, and one of them wins", "[context][CTX-08][CTX-16]") {
  hang_guard guard("deadlines and cancels block each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int n = scaled(2000);
    for (int i = 0; i < n; ++i) {
      auto [parent, cancel_parent] = with_cancel_cause(background());
      auto [ctx, cancel] = with_timeout_cause(parent, std::chrono::microseconds(i % 60), "deadline");
      auto [below, cancel_below] = with_cancel(ctx);
      wait_group all;
      all.go([&] {
        dither(i % 700);
        cancel_parent("parent");
      });
      all.go([&] {
        dither(i % 500);
        cancel();
      });
      below.done().recv();
      const std::string why = ctx.cause();
      if (why != "parent" && why != "deadline" && why != "context canceled") FAIL(why);
      if (below.cause() != why) FAIL(below.cause());
      if ((ctx.err() == errc::deadline_exceeded) != (why == "deadline")) FAIL(why);
      all.wait();
    }
  });
}

TEST_CASE("sleep ends with its time or with its context", "[context][TM-01]") {
  hang_guard guard("a sleep never ends");
  in_world(GENERATE(1, 4), [] {
    const time_point start = now();
    CHECK_FALSE(sleep(background(), 2ms));
    CHECK(now() - start >= 2ms);
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(sleep(ctx, 1h) == errc::deadline_exceeded);
    CHECK(sleep(ctx, duration(0)) == errc::deadline_exceeded);
    CHECK_FALSE(sleep(background(), -1s));

    const int n = scaled(2000);
    std::atomic<int> slept = 0, cut_short = 0;
    for (int i = 0; i < n; ++i) {
      auto [c, cancel_c] = with_cancel(background());
      wait_group all;
      all.go([&, c = c] { ++(sleep(c, std::chrono::microseconds(i % 50)) ? cut_short : slept); });
      if (i % 3) yield();
      dither(i % 900);
      cancel_c();
      all.wait();
    }
    CHECK(slept + cut_short == n);
  });
}
