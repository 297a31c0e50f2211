// Channel operations that a context may end: nothing is lost and nothing comes twice.
#include <atomic>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a receive and a send go on as ever while their context lives", "[context][chan]") {
  in_world(GENERATE(1, 4), [] {
    auto [ctx, cancel] = with_cancel(background());
    auto c = make_chan<std::string>(1);
    CHECK_FALSE(c.send(ctx, "one"));
    auto [v, err] = c.recv(ctx);
    CHECK_FALSE(err);
    CHECK(v == "one");
    go([c] { c.send("two"); });
    CHECK(c.recv(ctx).unwrap() == "two");
    wait_group all;
    all.go([c, ctx = ctx] {
      if (c.send(ctx, "three") || c.send(ctx, "four")) FAIL("a live context ended a send");
    });
    CHECK(c.recv() == "three");
    CHECK(c.recv(background()).unwrap() == "four");
    all.wait();
    c.close();
    auto [none, no_err] = c.recv(ctx);
    CHECK_FALSE(none);
    CHECK_FALSE(no_err);
    CHECK_THROWS_AS(c.send(ctx, "five"), panic);

    auto signal = make_chan<void>(1);
    CHECK_FALSE(signal.send(ctx));
    CHECK(signal.recv(ctx).value);
    signal.close();
    CHECK_FALSE(signal.recv(ctx).value);
  });
}

TEST_CASE("a done context ends an operation that waits, and its channel is as before", "[context][chan]") {
  hang_guard guard("a cancelled channel operation waits on");
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<std::unique_ptr<int>>();
    {
      auto [ctx, cancel] = with_timeout(background(), 1ms);
      auto [v, err] = c.recv(ctx);
      CHECK(err == errc::deadline_exceeded);
      CHECK_FALSE(v);
    }
    {
      auto [ctx, cancel] = with_cancel(background());
      auto mine = std::make_unique<int>(7);
      go([cancel = std::move(cancel)] { cancel(); });
      CHECK(c.send(ctx, std::move(mine)) == errc::canceled);
      REQUIRE(mine);  // given back
      CHECK(*mine == 7);
    }
    CHECK_FALSE(c.try_recv());
    CHECK_FALSE(c.try_send(std::make_unique<int>(1)));
    chan<int> nil;
    auto [ctx, cancel] = with_timeout(background(), 1ms);
    CHECK(nil.recv(ctx).err == errc::deadline_exceeded);
    CHECK(nil.send(ctx, 1) == errc::deadline_exceeded);
  });
}

TEST_CASE("a context that is done already ends an operation that could run", "[context][chan]") {
  in_world(1, [] {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    auto c = make_chan<int>(2);
    c.send(1);
    CHECK(c.recv(ctx).err == errc::canceled);
    CHECK(c.send(ctx, 2) == errc::canceled);
    CHECK(c.len() == 1);
  });
}

TEST_CASE("done channels may be waited for under contexts, their own and each other's", "[context][chan]") {
  hang_guard guard("waiting for done channels deadlocks");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(2000); ++i) {
      auto [a, cancel_a] = with_cancel(background());
      auto [b, cancel_b] = with_cancel(background());
      wait_group all;
      all.go([a = a, b = b] { (void)a.done().recv(b); });
      all.go([a = a, b = b] { (void)b.done().recv(a); });
      all.go([a = a] {
        const auto [got, err] = a.done().recv(a);
        if (got) FAIL("a done channel gave a value");
      });
      if (i % 2) yield();
      dither(i % 200);
      if (i % 3) cancel_a();
      cancel_b();
      cancel_a();
      all.wait();
    }
  });
}

TEST_CASE("a value is received or still in the channel, whatever is cancelled", "[context][chan]") {
  hang_guard guard("cancelled receives lose a wake-up");
  const int cap = GENERATE(0, 1, 4);
  in_world(GENERATE(1, 2, 4, 16), [cap] {
    auto c = make_chan<int>(static_cast<std::size_t>(cap));
    constexpr int senders = 3, receivers = 3;
    const int each = scaled(4000);
    std::atomic<long> sent = 0, received = 0;
    wait_group sending, receiving;
    for (int s = 0; s < senders; ++s)
      sending.go([&, s] {
        for (int i = 0; i < each; ++i) {
          const int v = s * each + i + 1;
          auto [ctx, cancel] = i % 4 ? with_cancel(background()) : with_timeout(background(), 10us);
          if (i % 4 == 1) go([cancel = std::move(cancel)] { cancel(); });
          if (!c.send(ctx, v)) sent += v;
        }
      });
    for (int r = 0; r < receivers; ++r)
      receiving.go([&, r] {
        for (int i = r;; ++i) {
          auto [ctx, cancel] = i % 4 ? with_cancel(background()) : with_timeout(background(), 10us);
          if (i % 4 == 1) go([cancel = std::move(cancel)] { cancel(); });
          auto [v, err] = c.recv(ctx);
          if (err) {
            if (v) FAIL("a value and an error");
          } else if (v) {
            received += *v;
          } else {
            return;
          }
        }
      });
    sending.wait();
    c.close();
    receiving.wait();
    CHECK(received == sent);
  });
}

TEST_CASE("one cancel against one value: exactly one of them, and order is kept", "[context][chan]") {
  hang_guard guard("a cancel and a value pass each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, got = 0;
    const int n = scaled(5000);
    for (int i = 0; goes_on(i, n, canceled, got); ++i) {
      auto c = make_chan<std::string>();
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      std::atomic<bool> went = false;
      race(
          all, i, [&] { went = c.try_send("a value that is long enough for the heap"); }, [&] { cancel(); });
      auto [v, err] = c.recv(ctx);
      all.wait();
      if (v.has_value() != went.load()) FAIL("a value was lost or made");
      if (v.has_value() == static_cast<bool>(err)) FAIL("a value and an error, or neither");
      ++(err ? canceled : got);
    }
    CHECK(canceled > 0);
    CHECK(got > 0);
  });
}

TEST_CASE("one cancel against one taker: the value goes over or stays with its sender", "[context][chan]") {
  hang_guard guard("a cancel and a receive pass each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    int canceled = 0, went = 0;
    const int n = scaled(5000);
    for (int i = 0; goes_on(i, n, canceled, went); ++i) {
      auto c = make_chan<std::unique_ptr<int>>();
      auto [ctx, cancel] = with_cancel(background());
      wait_group all;
      std::unique_ptr<int> got, mine = std::make_unique<int>(i);
      race(
          all, i,
          [&] {
            if (auto v = c.try_recv()) got = std::move(*v);
          },
          [&] { cancel(); });
      const std::error_code err = c.send(ctx, std::move(mine));
      all.wait();
      if (static_cast<bool>(err) != (mine != nullptr))
        FAIL("an error without the value, or the value without an error");
      if ((mine != nullptr) == (got != nullptr)) FAIL("a value was lost or made");
      ++(err ? canceled : went);
    }
    CHECK(canceled > 0);
    CHECK(went > 0);
  });
}

TEST_CASE("plain threads and fibers share channels under contexts", "[context][chan]") {
  hang_guard guard("a plain thread's wait is never ended");
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    std::atomic<long> received = 0;
    std::atomic<int> ended = 0;
    auto [ctx, cancel] = with_cancel(background());
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&, ctx = ctx] {
        for (;;) {
          auto [step, cancel_step] = with_timeout(ctx, 200us);
          auto [v, err] = c.recv(step);
          if (v) received += *v;
          else if (ctx.err()) break;
        }
        ++ended;
      });
    long sent = 0;
    for (int i = 1; i <= scaled(2000); ++i) {
      if (i % 10 == 0) sleep(50us);
      if (!c.send(background(), i)) sent += i;
    }
    cancel();
    while (ended < 2) sleep(100us);
    for (auto& t : threads) t.join();
    CHECK(received == sent);
  });
}
