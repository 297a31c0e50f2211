// Functions that run once a context is done.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a function runs once its context is done, by cancel, by deadline or before it was given",
          "[context][CTX-25]") {
  hang_guard guard("a function after a context never runs");
  in_world(GENERATE(1, 4), [] {
    auto ran = make_chan<int>(3);
    auto [ctx, cancel] = with_cancel(background());
    auto stop = after_func(ctx, [ran] { ran.send(1); });
    yield();
    CHECK(ran.len() == 0);
    cancel();
    CHECK(ran.recv() == 1);
    CHECK_FALSE(stop());

    auto [timed, cancel_timed] = with_timeout(background(), 1ms);
    after_func(timed, [ran] { ran.send(2); });  // its stop may be dropped
    CHECK(ran.recv() == 2);

    auto late = after_func(ctx, [ran] { ran.send(3); });
    CHECK(ran.recv() == 3);
    CHECK_FALSE(late());
  });
}

TEST_CASE("a stopped function does not run, and only the first stop says so", "[context][CTX-26]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> ran = 0;
    auto held = std::make_shared<int>(1);
    auto [ctx, cancel] = with_cancel(background());
    auto stop = after_func(ctx, [&ran, held] { ++ran; });
    CHECK(detail::count_children(ctx) == 1);
    CHECK(stop());
    CHECK_FALSE(stop());
    CHECK(detail::count_children(ctx) == 0);
    CHECK(held.use_count() == 1);
    cancel();
    sleep(2ms);
    CHECK(ran == 0);

    auto never = after_func(background(), [&ran] { ++ran; });
    CHECK(never());
    CHECK_FALSE(never());
  });
}

TEST_CASE("cancel does not wait for the functions that it starts", "[context][CTX-27]") {
  hang_guard guard("cancel waits for a function that waits for it");
  in_world(GENERATE(1, 4), [] {
    auto gate = make_chan<void>();
    auto ran = make_chan<void>();
    auto [ctx, cancel] = with_cancel(background());
    after_func(ctx, [gate, ran] {
      gate.recv();
      ran.send();
    });
    cancel();
    gate.close();
    CHECK(ran.recv());
  });
}

TEST_CASE("a function after a context may be move-only and cancel other contexts", "[context][CTX-25]") {
  hang_guard guard("a function that cancels hangs");
  in_world(GENERATE(1, 4), [] {
    auto [first, cancel_first] = with_cancel(background());
    auto second = with_cancel(background());
    after_func(first, [cancel = std::move(second.cancel)] { cancel(); });
    cancel_first();
    second.ctx.done().recv();
    CHECK(second.ctx.err() == errc::canceled);
  });
}

TEST_CASE("stop races with cancel, and either the function runs or it was stopped", "[context][CTX-26]") {
  hang_guard guard("stop races with cancel");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> ran = 0, stopped = 0;
    const int n = scaled(3000);
    for (int i = 0; i < n; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      all.add(1);
      auto stop = after_func(ctx, [&] {
        ++ran;
        all.done();
      });
      all.go([&] {
        dither(i % 300);
        cancel();
      });
      for (int k = 0; k < 2; ++k)
        all.go([&, stop] {
          dither(i % 200);
          if (stop()) {
            ++stopped;
            all.done();
          }
        });
      all.wait();
    }
    CHECK(ran + stopped == n);
  });
}

TEST_CASE("where no world runs, the caller of cancel runs the function", "[context][CTX-25]") {
  std::thread::id ran_on;
  auto [ctx, cancel] = with_cancel(background());
  after_func(ctx, [&] { ran_on = std::this_thread::get_id(); });
  cancel();
  CHECK(ran_on == std::this_thread::get_id());
}
