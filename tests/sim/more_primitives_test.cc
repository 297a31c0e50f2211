// Right programs with the other primitives, and with waits that a context or a time ends: no
// schedule may fail.
#include <weft/async.h>
#include <weft/chan.h>
#include <weft/cond.h>
#include <weft/context.h>
#include <weft/errgroup.h>
#include <weft/fiber_local.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/parallel.h>
#include <weft/rw_mutex.h>
#include <weft/select.h>
#include <weft/semaphore.h>
#include <weft/sim.h>
#include <weft/singleflight.h>
#include <weft/stop_token.h>
#include <weft/sync_map.h>
#include <weft/time.h>
#include <weft/timer.h>
#include <weft/wait_group.h>
#include <weft/with_stack.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

using namespace std::chrono_literals;
using weft::sim::report;
using weft::sim::require;
using weft::sim::strategy;

namespace {

void check_passes(void (*program)()) {
  for (const strategy how : {strategy::random, strategy::pct, strategy::pos, strategy::bounded})
    for (const bool early : {false, true}) {
      INFO("strategy " << static_cast<int>(how) << ", early timers " << early);
      const report r = weft::sim::explore({.seed = 1, .how = how, .schedules = 300, .early_timers = early}, program);
      INFO(r);
      CHECK(r);
    }
}

void fork_and_join() {
  auto sum = std::make_shared<std::atomic<int>>(0);
  weft::parallel_invoke([sum] { ++*sum; }, [sum] { *sum += 2; },
                        [sum] {
                          weft::yield();
                          *sum += 4;
                        });
  require(*sum == 7);
  weft::parallel_for(0, 10, [sum](int i) { *sum += i; }, {.grain = 2});
  require(*sum == 52);
  require(weft::parallel_reduce(0, 10, 0, [](int i) { return i; }, std::plus<int>(), {.grain = 3}) == 45);
}

// Each wait ends by a context: granted before, or canceled.
void waits_with_a_context() {
  struct all {
    weft::mutex mu;
    weft::rw_mutex rw;
    weft::semaphore sem{1};
    weft::wait_group group;
    weft::once once;
    weft::chan<int> ch = weft::make_chan<int>();
  };
  auto a = std::make_shared<all>();
  auto made = weft::with_cancel(weft::background());
  a->mu.lock();
  a->rw.lock();
  a->sem.acquire();
  a->group.add(1);
  weft::wait_group g;
  const auto canceled = [](std::error_code e) { return e == weft::errc::canceled; };
  g.go([=, ctx = made.ctx] {
    require(canceled(a->mu.lock(ctx)));
    require(canceled(a->rw.lock_shared(ctx)));
  });
  g.go([=, ctx = made.ctx] { require(canceled(a->rw.lock(ctx))); });
  g.go([=, ctx = made.ctx] {
    require(canceled(a->sem.acquire(ctx)));
    require(canceled(a->group.wait(ctx)));
    require(canceled(a->ch.recv(ctx).err));
    require(canceled(a->once.call(ctx, [] {})));
    require(canceled(weft::sleep(ctx, 1s)));
  });
  made.cancel();
  g.wait();
  a->mu.unlock();
  a->rw.unlock();
  a->sem.release();
  a->group.done();
  const std::scoped_lock hold(a->mu, a->rw);
  a->group.wait();
}

void waits_with_a_time() {
  auto mu = std::make_shared<weft::mutex>();
  auto c = std::make_shared<weft::cond>();
  auto woken = std::make_shared<bool>(false);
  weft::wait_group g;
  g.go([=] {
    std::unique_lock hold(*mu);
    while (!*woken && c->wait_for(hold, 1s) == std::cv_status::no_timeout) {
    }
  });
  g.go([=] {
    const std::lock_guard hold(*mu);
    *woken = true;
    c->signal();
  });
  g.wait();
  weft::ticker t(1s);
  for (int i = 0; i < 3; ++i) t.c().recv();
  t.stop();
  auto fired = weft::make_chan<void>(1);
  weft::timer f = weft::after_func(1s, [fired] { fired.send(); });
  if (!f.stop()) fired.recv();
  auto [ctx, cancel] = weft::with_timeout(weft::background(), 2s);
  auto [inner, cancel_inner] = weft::with_cancel(ctx);
  inner.done().recv();
  require(ctx.err() == weft::errc::deadline_exceeded);
}

void contexts_and_tokens() {
  auto made = weft::with_cancel_cause(weft::background());
  auto ran = weft::make_chan<void>();
  auto stop = weft::after_func(made.ctx, [ran] { ran.close(); });
  auto token = weft::to_stop_token(made.ctx);
  auto child = weft::with_cancel(made.ctx);
  weft::go([cancel = std::move(made.cancel)] { cancel("enough"); });
  child.ctx.done().recv();
  ran.recv();
  require(!stop());
  require(child.ctx.err() == weft::errc::canceled && child.ctx.cause() == "enough");
  require(token.stop_requested());
}

void groups() {
  auto [group, ctx] = weft::errgroup::with_context(weft::background());
  group.set_limit(2);
  auto inside = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 4; ++i)
    group.go([=]() -> std::error_code {
      require(++*inside <= 2);
      weft::yield();
      --*inside;
      if (i == 1) return weft::errc::closed;
      return {};
    });
  require(group.wait() == weft::errc::closed);
  require(static_cast<bool>(ctx.err()));
  auto failing = weft::async([]() -> int { throw std::runtime_error("x"); });
  bool caught = false;
  try {
    failing.get();
  } catch (const std::runtime_error&) {
    caught = true;
  }
  require(caught);
}

void maps_and_flights() {
  auto m = std::make_shared<weft::sync_map<int, int>>();
  auto f = std::make_shared<weft::singleflight<int, int>>();
  auto calls = std::make_shared<int>(0);
  weft::wait_group g;
  auto once_value = weft::once_value([calls] { return ++*calls; });
  for (int i = 0; i < 3; ++i)
    g.go([=] {
      require(once_value() == 1);
      const auto [value, loaded] = m->load_or_store(1, i);
      require(loaded == (value != i));
      require(m->load(1) == value);
      const auto outcome = f->call_chan(2, [] {
                              weft::yield();
                              return 9;
                            }).recv();
      require(outcome && outcome->value == 9);
    });
  g.wait();
  int n = 0;
  m->range([&](int, int) { ++n; });
  require(n == 1);
}

void selects_of_a_span() {
  auto a = weft::make_chan<int>(1), b = weft::make_chan<int>();
  weft::recv_chan<int> from = b;
  weft::send_chan<int> to = b;
  weft::wait_group g;
  g.go([to] { to.send(2); });
  int v = 0;
  for (int i = 0; i < 2; ++i) {
    std::vector<weft::select_case> cases;
    if (i == 0) cases.push_back(weft::send(a, 1));
    cases.push_back(weft::recv(from, v));
    if (i == 1) cases.push_back(weft::recv(weft::chan<int>{}, v));
    const std::size_t which = weft::select(std::span(cases));
    if (i == 0 && which == 1) break;
  }
  if (v == 0) v = *from.recv();
  require(v == 2);
  g.wait();
  require(!b.try_recv() && !b.try_send(1));
}

void fibers_with_stacks_and_locals() {
  auto local = std::make_shared<weft::fiber_local<int>>();
  weft::wait_group g;
  for (int i = 1; i <= 2; ++i)
    g.go([=] {
      **local = i;
      weft::with_stack(std::size_t{1} << 20, [] { weft::yield(); });
      require(**local == i);
    });
  g.wait();
  auto named = weft::make_chan<void>();
  weft::go(weft::fiber_options{.name = "worker", .stack_size = std::size_t{64} << 10}, [named] {
    require(weft::this_fiber::name() == "worker");
    named.close();
    weft::goexit();
  });
  named.recv();
}

}  // namespace

TEST_CASE("fork and join is right in every schedule", "[sim]") { check_passes(fork_and_join); }
TEST_CASE("waits that a context ends are right in every schedule", "[sim]") { check_passes(waits_with_a_context); }
TEST_CASE("waits that a time ends are right in every schedule", "[sim]") { check_passes(waits_with_a_time); }
TEST_CASE("contexts, their functions and tokens are right in every schedule", "[sim]") {
  check_passes(contexts_and_tokens);
}
TEST_CASE("groups with a limit and failing tasks are right in every schedule", "[sim]") { check_passes(groups); }
TEST_CASE("maps, flights and once values are right in every schedule", "[sim]") { check_passes(maps_and_flights); }
TEST_CASE("selects of a span, views and try operations are right in every schedule", "[sim]") {
  check_passes(selects_of_a_span);
}
TEST_CASE("stacks, names and locals of fibers are right in every schedule", "[sim]") {
  check_passes(fibers_with_stacks_and_locals);
}

TEST_CASE("a loop of try operations or of yields lets others run, in each strategy", "[sim]") {
  for (const strategy how : {strategy::random, strategy::pct, strategy::pos, strategy::bounded}) {
    const report r = weft::sim::explore({.seed = 1, .how = how, .schedules = 50, .max_steps = 100'000}, [] {
      auto ch = weft::make_chan<int>(1);
      auto mu = std::make_shared<weft::mutex>();
      weft::go([=] {
        const std::lock_guard hold(*mu);
        ch.send(1);
      });
      while (!ch.try_recv()) {
      }
      while (!mu->try_lock()) {
      }
      mu->unlock();
    });
    INFO(static_cast<int>(how) << ": " << r);
    CHECK(r);
  }
}

TEST_CASE("two fibers that wake each other let a third one stop them", "[sim]") {
  for (const strategy how : {strategy::random, strategy::pct, strategy::pos, strategy::bounded}) {
    const report r = weft::sim::explore({.seed = 1, .how = how, .schedules = 50, .max_steps = 100'000}, [] {
      auto ping = weft::make_chan<int>(), pong = weft::make_chan<int>();
      auto stop = weft::make_chan<void>();
      const auto play = [stop](weft::chan<int> from, weft::chan<int> to) {
        while (weft::select(weft::recv(from), weft::recv(stop)) == 0 &&
               weft::select(weft::send(to, 1), weft::recv(stop)) == 0) {
        }
      };
      weft::go([=] { play(ping, pong); });
      weft::go([=] {
        if (weft::select(weft::send(ping, 1), weft::recv(stop)) == 0) play(pong, ping);
      });
      weft::go([stop] { stop.close(); });
    });
    INFO(static_cast<int>(how) << ": " << r);
    CHECK(r);
  }
}

TEST_CASE("a loop that locks does not keep its lock from another fiber", "[sim]") {
  const report r = weft::sim::explore({.how = strategy::bounded, .schedules = 200, .max_steps = 100'000}, [] {
    auto mu = std::make_shared<weft::mutex>();
    auto stop = weft::make_chan<void>();
    weft::go([=] {
      while (weft::select(weft::recv(stop), weft::otherwise) == 1) const std::lock_guard hold(*mu);
    });
    weft::go([=] {
      const std::lock_guard hold(*mu);
      stop.close();
    });
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("REQUIRE shows the story of a failing exploration", "[sim]") {
  const report r = weft::sim::explore([] { weft::make_chan<int>().recv(); });
  const std::string shown = Catch::Detail::stringify(r);
  CHECK(shown.find("deadlock after 1 schedules") != std::string::npos);
  CHECK(shown.find("chan receive") != std::string::npos);
  CHECK(shown.find("replay: w1-") != std::string::npos);
}
