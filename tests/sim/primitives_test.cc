// Right programs with each primitive: no schedule of any strategy may fail.
#include <weft/async.h>
#include <weft/atomic_value.h>
#include <weft/chan.h>
#include <weft/cond.h>
#include <weft/context.h>
#include <weft/errgroup.h>
#include <weft/fiber_local.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/pool.h>
#include <weft/rw_mutex.h>
#include <weft/select.h>
#include <weft/semaphore.h>
#include <weft/sim.h>
#include <weft/singleflight.h>
#include <weft/time.h>
#include <weft/timer.h>
#include <weft/wait_group.h>

#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>

using namespace std::chrono_literals;
using weft::sim::report;
using weft::sim::require;
using weft::sim::strategy;

namespace {

void check_passes(void (*program)()) {
  for (const strategy how : {strategy::random, strategy::pct, strategy::pos, strategy::bounded}) {
    INFO("strategy " << static_cast<int>(how));
    const report r = weft::sim::explore({.seed = 1, .how = how, .schedules = 500}, program);
    INFO(r);
    CHECK(r);
  }
}

void channels() {
  auto ch = weft::make_chan<int>(2);
  auto done = weft::make_chan<void>();
  weft::go([ch, done] {
    int sum = 0;
    for (const int v : ch) sum += v;
    require(sum == 6);
    done.close();
  });
  for (int i = 1; i <= 3; ++i) ch.send(i);
  ch.close();
  done.recv();
}

void selects() {
  auto a = weft::make_chan<int>(), b = weft::make_chan<int>();
  weft::go([a] { a.send(1); });
  weft::go([b] { b.send(2); });
  int sum = 0;
  for (int i = 0; i < 2; ++i) {
    int v = 0;
    weft::select(weft::recv(a, v), weft::recv(b, v));
    sum += v;
  }
  require(sum == 3);
}

void locks() {
  auto m = std::make_shared<weft::mutex>();
  auto n = std::make_shared<int>(0);
  weft::wait_group g;
  for (int i = 0; i < 3; ++i)
    g.go([m, n] {
      const std::lock_guard hold(*m);
      const int before = *n;
      weft::sim::point();
      *n = before + 1;
    });
  g.wait();
  require(*n == 3);
}

void readers_and_writers() {
  auto m = std::make_shared<weft::rw_mutex>();
  auto n = std::make_shared<int>(0);
  weft::wait_group g;
  for (int i = 0; i < 2; ++i)
    g.go([m, n] {
      const std::lock_guard hold(*m);
      ++*n;
      weft::sim::point();
      ++*n;
    });
  for (int i = 0; i < 2; ++i)
    g.go([m, n] {
      const std::shared_lock hold(*m);
      require(*n % 2 == 0);
    });
  g.wait();
}

void conditions() {
  auto m = std::make_shared<weft::mutex>();
  auto c = std::make_shared<weft::cond>();
  auto ready = std::make_shared<bool>(false);
  weft::wait_group g;
  g.go([m, c, ready] {
    std::unique_lock hold(*m);
    c->wait(hold, [&] { return *ready; });
  });
  g.go([m, c, ready] {
    const std::lock_guard hold(*m);
    *ready = true;
    c->broadcast();
  });
  g.wait();
}

void tokens() {
  auto s = std::make_shared<weft::semaphore>(2);
  auto held = std::make_shared<int>(0);
  weft::wait_group g;
  for (int i = 0; i < 3; ++i)
    g.go([s, held] {
      s->acquire();
      require(++*held <= 2);
      weft::sim::point();
      --*held;
      s->release();
    });
  g.wait();
}

void once_and_values() {
  auto o = std::make_shared<weft::once>();
  auto calls = std::make_shared<int>(0);
  auto v = std::make_shared<weft::atomic_value<int>>(1);
  weft::wait_group g;
  for (int i = 0; i < 2; ++i)
    g.go([o, calls, v] {
      o->call([&] { ++*calls; });
      require(*calls == 1);
      v->store(*v->load() + 1);
    });
  g.wait();
  require(*v->load() >= 2);
}

void tasks_and_groups() {
  auto t = weft::async([] { return 7; });
  weft::errgroup g;
  g.go([] { return std::error_code(); });
  require(!g.wait());
  require(t.get() == 7);
}

void flights_and_pools() {
  auto f = std::make_shared<weft::singleflight<int, int>>();
  auto p = std::make_shared<weft::pool<int>>([] { return 5; });
  weft::fiber_local<int> mine;
  weft::wait_group g;
  for (int i = 0; i < 2; ++i)
    g.go([f, p, &mine] {
      require(f->call(1, [] {
                 weft::yield();
                 return 3;
               }).value == 3);
      auto object = p->get();
      require(*object == 5);
      p->put(std::move(object));
      ++*mine;
      require(*mine == 1);
      weft::lock_os_thread();
      require(weft::blocking([] { return 9; }) == 9);
      weft::unlock_os_thread();
    });
  g.wait();
}

void timeouts() {
  auto ch = weft::make_chan<int>();
  weft::go([ch] {
    weft::sleep(2s);
    (void)ch.send_for(1, 1s);
  });
  require(!ch.recv_for(1s).has_value());
  int v = 0;
  require(weft::select(weft::recv(ch, v), weft::recv(weft::after(5s))) == 0);
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  weft::go([cancel = std::move(cancel)] { cancel(); });
  ctx.done().recv();
}

}  // namespace

TEST_CASE("channels are right in every schedule", "[sim]") { check_passes(channels); }
TEST_CASE("selects are right in every schedule", "[sim]") { check_passes(selects); }
TEST_CASE("mutexes are right in every schedule", "[sim]") { check_passes(locks); }
TEST_CASE("reader-writer locks are right in every schedule", "[sim]") { check_passes(readers_and_writers); }
TEST_CASE("conditions are right in every schedule", "[sim]") { check_passes(conditions); }
TEST_CASE("semaphores are right in every schedule", "[sim]") { check_passes(tokens); }
TEST_CASE("once and atomic values are right in every schedule", "[sim]") { check_passes(once_and_values); }
TEST_CASE("tasks and groups are right in every schedule", "[sim]") { check_passes(tasks_and_groups); }
TEST_CASE("singleflight, pools, locals and blocking calls are right in every schedule", "[sim]") {
  check_passes(flights_and_pools);
}
TEST_CASE("timeouts and contexts are right in every schedule", "[sim]") { check_passes(timeouts); }
