// What was made outside a simulation may be used inside. What a schedule leaves in it is there in
// the next.
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/select.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/timer.h>
#include <weft/wait_group.h>

#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <optional>

using namespace std::chrono_literals;
using weft::sim::explore;
using weft::sim::report;
using weft::sim::require;
using weft::sim::run;
using weft::sim::verdict;

namespace {

// Runs `wait` in a fiber that refers to its main fiber's frame and is left in its wait, so that it
// is not unwound.
template <class F>
void leave_in_wait(F wait) {
  const report r = run([&wait] {
    int of_main = 0;
    weft::go([&wait, &of_main] {
      wait();
      ++of_main;
    });
    weft::sim::wait();
  });
  INFO(r);
  CHECK(r.what == verdict::leak);
}

}  // namespace

TEST_CASE("a channel that was made outside is used inside, in one schedule after the other", "[sim][BUB-10]") {
  const auto ch = weft::make_chan<int>(1);
  const report r = explore({.seed = 1, .schedules = 200}, [&ch] {
    weft::go([&ch] {
      for (int i = 1; i <= 3; ++i) ch.send(i);
    });
    for (int i = 1; i <= 3; ++i) require(ch.recv() == i);
  });
  INFO(r);
  CHECK(r);
  ch.send(7);
  CHECK(ch.recv() == 7);
}

TEST_CASE("what a schedule leaves in a channel from outside makes the program nondeterministic", "[sim][BUB-10]") {
  const auto ch = weft::make_chan<int>(1);
  const report r = run([&ch] { ch.send(1); });
  INFO(r);
  CHECK(r.what == verdict::nondeterministic);
  CHECK(r.message.find("deadlock") != std::string::npos);
  CHECK(ch.try_recv() == 1);
}

TEST_CASE("a context that was made outside is used inside and outside", "[sim][BUB-10]") {
  auto outside = weft::with_cancel(weft::background());
  const auto ch = weft::make_chan<int>();
  const report r = explore({.seed = 1, .schedules = 20}, [&] {
    weft::go([&] { require(outside.ctx.err() == std::error_code()); });
    require(weft::select(weft::recv(outside.ctx.done()), weft::recv(weft::after(1s))) == 1);
    require(weft::sleep(outside.ctx, 1s) == std::error_code());
  });
  INFO(r);
  CHECK(r);
  CHECK(!outside.ctx.done().try_recv());
  outside.cancel();
  CHECK(!outside.ctx.done().recv());
  CHECK(ch.recv(outside.ctx).err == weft::errc::canceled);
}

TEST_CASE("no wait outside takes a context of a simulation that has ended", "[sim][BUB-10]") {
  std::optional<weft::cancelable> used, unused;
  REQUIRE(run([&] {
    used = weft::with_timeout(weft::background(), 1h);
    unused = weft::with_cancel(weft::background());
    used->ctx.done().try_recv();
  }));
  const auto ch = weft::make_chan<int>();
  weft::mutex mu;
  const std::lock_guard hold(mu);
  for (const weft::context& ctx : {used->ctx, unused->ctx}) {
    CHECK_THROWS_WITH(ch.recv(ctx), "wait with context of a simulation that has ended");
    CHECK_THROWS_WITH(mu.lock(ctx), "wait with context of a simulation that has ended");
    CHECK_THROWS_WITH(ctx.done().recv(), "receive on channel of a simulation that has ended");
    CHECK_THROWS_WITH(weft::sleep(ctx, 1ms), "wait with context of a simulation that has ended");
  }
}

TEST_CASE("a context that was canceled in a simulation stays canceled outside", "[sim][BUB-10]") {
  weft::context early, late;
  REQUIRE(run([&] {
    auto a = weft::with_cancel(weft::background()), b = weft::with_cancel(weft::background());
    a.cancel();
    early = a.ctx;
    weft::go([ctx = b.ctx] { ctx.done().recv(); });
    weft::sim::wait();
    b.cancel();
    late = b.ctx;
  }));
  CHECK(early.err() == weft::errc::canceled);
  CHECK(late.err() == weft::errc::canceled);
  CHECK(!early.done().recv());
}

TEST_CASE("a fiber that is left in its wait is in no queue of a channel from outside", "[sim][BUB-10]") {
  const auto ch = weft::make_chan<int>(), other = weft::make_chan<int>();
  auto ctx = weft::with_cancel(weft::background());
  leave_in_wait([&] { ch.recv(); });
  CHECK(!ch.try_send(1));
  leave_in_wait([&] { ch.send(1); });
  CHECK(!ch.try_recv());
  leave_in_wait([&] { weft::select(weft::recv(ch), weft::send(other, 1)); });
  CHECK(!ch.try_send(1));
  CHECK(!other.try_recv());
  leave_in_wait([&] { (void)ch.recv(ctx.ctx); });
  CHECK(!ch.try_send(1));
  leave_in_wait([&] { (void)weft::chan<int>{}.recv(ctx.ctx); });
  ctx.cancel();
}

TEST_CASE("a fiber that is left in its wait is in no queue of a lock or a group from outside", "[sim]") {
  weft::mutex mu;
  mu.lock();
  leave_in_wait([&] { mu.lock(); });
  const auto never = weft::with_cancel(weft::background());
  leave_in_wait([&] { (void)mu.lock(never.ctx); });
  mu.unlock();
  CHECK(mu.try_lock());
  mu.unlock();
  weft::wait_group group;
  group.add(1);
  leave_in_wait([&] { group.wait(); });
  group.done();
  group.wait();
}

TEST_CASE("a timer that was made in a world is used inside", "[sim][BUB-11]") {
  std::optional<weft::timer> t;
  weft::run([&] { t.emplace(1h); });
  const report r = explore({.seed = 1, .schedules = 20}, [&t] {
    t->reset(1s);
    const auto began = weft::now();
    require(*t->c().recv() - began == 1s);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a wait for a group from outside is durable, for nothing runs outside", "[sim][BUB-16]") {
  weft::wait_group group;
  group.add(1);
  const report r = explore({.seed = 1, .schedules = 20}, [&group] {
    const auto began = weft::now();
    weft::go([&group] {
      weft::sleep(1s);
      group.done();
    });
    group.wait();
    require(weft::now() - began == 1s);
    group.add(1);  // for the next schedule
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a count that a schedule leaves in a group is there in the next", "[sim]") {
  weft::wait_group group;
  const report r = run([&group] {
    group.wait();
    group.add(1);
  });
  INFO(r);
  CHECK(r.what == verdict::nondeterministic);
  group.done();
}

TEST_CASE("a group whose count is 0 is used in one schedule, in the next, and outside", "[sim][BUB-15]") {
  weft::wait_group group;
  for (int i = 0; i < 2; ++i) {
    const weft::sim::report r = weft::sim::explore({.seed = 1, .schedules = 50}, [&group] {
      group.add(1);
      weft::go([&group] { group.done(); });
      group.wait();
      group.add(1);
      weft::go([&group] { group.wait(); });
      weft::sim::wait();
      group.done();  // the count is 0 again, with a waiter
    });
    INFO(r);
    CHECK(r);
  }
  group.add(1);
  group.done();
  group.wait();
}
