// Contexts and std::stop_token, one from the other.
#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct held {
  using type = std::shared_ptr<int>;
};

}  // namespace

TEST_CASE("a context's token is asked to stop when the context is done", "[context][stop_token]") {
  in_world(GENERATE(1, 4), [] {
    CHECK_FALSE(to_stop_token(background()).stop_possible());
    auto [ctx, cancel] = with_cancel(background());
    const std::stop_token token = to_stop_token(ctx);
    CHECK(token == to_stop_token(ctx));  // one source per context, so asking often leaves nothing behind
    int called = 0;
    std::stop_callback note(token, [&] { ++called; });
    CHECK(token.stop_possible());
    CHECK_FALSE(token.stop_requested());
    cancel();
    CHECK(token.stop_requested());
    CHECK(called == 1);
    CHECK(to_stop_token(ctx).stop_requested());
    auto [done, cancel_done] = with_timeout(background(), duration(0));
    CHECK(to_stop_token(done).stop_requested());
  });
}

TEST_CASE("a context is cancelled by a token", "[context][stop_token][CTX-23]") {
  in_world(GENERATE(1, 4), [] {
    std::stop_source source;
    auto [ctx, cancel] = with_stop_token(background(), source.get_token());
    CHECK(is_live(ctx));
    source.request_stop();
    CHECK(is_over(ctx, errc::canceled));
    CHECK(ctx.cause() == "stop requested");

    auto [born_done, cancel_2] = with_stop_token(background(), source.get_token());
    CHECK(is_over(born_done, errc::canceled));
    auto [plain, cancel_3] = with_stop_token(background(), {});
    CHECK(is_live(plain));
    cancel_3();
    CHECK(plain.cause() == "context canceled");
  });
}

TEST_CASE("following a token takes no fiber, and leaves nothing with it", "[context][stop_token][CTX-28]") {
  in_world(GENERATE(1, 4), [] {
    const std::stop_source source;
    const auto value = std::make_shared<int>();
    const context parent = with_value<held>(background(), value);
    CHECK(value.use_count() == 2);
    for (int i = 0; i < 100; ++i) {
      auto [ctx, cancel] = with_stop_token(with_value<held>(parent, value), source.get_token());
      auto [timed, cancel_timed] = with_timeout(ctx, 1h);
      const stop_func stop = after_func(timed, [value] {});
      CHECK(num_fibers() == 1);
      CHECK(stop());
    }
    CHECK(value.use_count() == 2);
  });
}

TEST_CASE("a std::jthread's token ends a fiber's wait, and a context ends a jthread", "[context][stop_token]") {
  hang_guard guard("a stop request is lost");
  in_world(GENERATE(1, 4), [] {
    auto ready = make_chan<void>();
    auto ended = make_chan<std::error_code>(1);
    std::jthread thread([&](std::stop_token token) {
      auto [ctx, cancel] = with_stop_token(background(), token);
      ready.send();
      ended.send(make_chan<int>().recv(ctx).err);
    });
    ready.recv();
    thread.request_stop();
    CHECK(ended.recv() == std::error_code(errc::canceled));
    thread.join();
  });
}

TEST_CASE("tokens and cancels of one context from many sides", "[context][stop_token]") {
  hang_guard guard("a token blocks a cancel");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> wrong = 0;
    for (int i = 0; i < scaled(2000); ++i) {
      std::stop_source source;
      auto [ctx, cancel] = with_stop_token(background(), source.get_token());
      std::atomic<int> called = 0;
      wait_group all;
      for (int k = 0; k < 2; ++k)
        all.go([&, ctx = ctx, k] {
          dither(i % 100 * k);
          const std::stop_callback note(to_stop_token(ctx), [&] { ++called; });
          ctx.done().recv();
          while (!to_stop_token(ctx).stop_requested()) yield();
        });
      all.go([&] { source.request_stop(); });
      all.go([&] {
        dither(i % 200);
        cancel();
      });
      all.wait();
      if (called > 2 || !to_stop_token(ctx).stop_requested()) ++wrong;
    }
    CHECK(wrong == 0);
  });
}
