// A world with nothing to do costs nothing.
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "sched/current.h"
#include "sched/find_runnable.h"
#include "sched/g.h"
#include "sched/idle.h"
#include "sched/ready.h"
#include "sched/world.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct cost {
  std::chrono::microseconds cpu;
  long switches;
};

cost used() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  auto us = [](timeval t) { return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec); };
  return {us(u.ru_utime) + us(u.ru_stime), u.ru_nvcsw};
}

template <class F>
cost of(F f) {
  cost before = used();
  f();
  cost after = used();
  return {after.cpu - before.cpu, after.switches - before.switches};
}

// Rests for a while, by `rest`, at no cost. On a machine that is busy with other things the Ms take
// their time to come to rest, so one quiet while among several is enough: what wakes up again and
// again never has one.
template <class Rest>
void check_idle(Rest rest) {
  cost c{};
  for (int i = 0; i < 20; ++i) {
    c = of(rest);
    if (c.cpu < (sanitized ? 40ms : 10ms) && c.switches < 60) break;  // a wake-up each millisecond would be 300
  }
  CAPTURE(c.cpu.count(), c.switches);
  CHECK(c.cpu < (sanitized ? 40ms : 10ms));
  CHECK(c.switches < 60);
}

}  // namespace

TEST_CASE("a world whose fibers all sleep long uses no CPU", "[sched][idle]") {
  in_leaky_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < 100; ++i) go([] { sleep(1h); });
    sleep(50ms);  // the Ms go to rest
    check_idle([] { sleep(300ms); });
  });
}

TEST_CASE("a world whose fibers wait for a channel and a plain thread uses no CPU", "[sched][idle]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<void>();
    for (int i = 0; i < 10; ++i) go([c] { c.recv(); });
    sleep(50ms);
    check_idle([] { blocking([] { std::this_thread::sleep_for(300ms); }); });
    c.close();
  });
}

TEST_CASE("the Ms come to rest after a storm", "[sched][idle]") {
  in_world(GENERATE(2, 4, 16), [] {
    wait_group all;
    for (int i = 0; i < scaled(5000); ++i) {
      all.go([] {
        for (int k = 0; k < 5; ++k) yield();
      });
    }
    all.wait();
    sleep(50ms);
    check_idle([] { sleep(300ms); });
  });
}

TEST_CASE("a finished world leaves no thread behind that uses CPU", "[sched][idle]") {
  in_world(4, [] {
    wait_group all;
    for (int i = 0; i < 1000; ++i) all.go([] { yield(); });
    all.wait();
  });
  std::this_thread::sleep_for(50ms);
  check_idle([] { std::this_thread::sleep_for(300ms); });
}

namespace {

// The process's poller, seen by one that is late: its world has ended while it waited, and the
// fiber that has become ready is of the world that runs by now.
struct late_poller final : detail::poller {
  detail::world* of = nullptr;
  detail::G* ready_now = nullptr;
  bool has_waiters() const noexcept override { return ready_now; }
  void poll(detail::P&, detail::ready_list& ready) override {
    of->stopping = true;
    detail::ready_into(ready, std::exchange(ready_now, nullptr));
  }
  void wait(std::int64_t, detail::ready_list& ready) override {
    of->stopping = true;
    detail::ready_into(ready, std::exchange(ready_now, nullptr));
  }
  void wake() noexcept override {}
  void flush(detail::P&) override {}
  void end_world(bool) override {}
};

}  // namespace

TEST_CASE("an M that comes late out of the poller passes on what is the next world's", "[sched][idle]") {
  hang_guard guard("a fiber that an M of another world has fetched");
  enum class how { waits, polls, polls_for_fairness };
  const how comes = GENERATE(how::waits, how::polls, how::polls_for_fairness);
  in_world(GENERATE(1, 2, 4), [&] {
    detail::G* who = nullptr;
    std::atomic<bool> parked = false, came = false;
    wait_group all;
    all.go([&] {
      who = detail::self();
      detail::park(
          detail::wait_reason::io_wait, [](detail::G*, void* flag) { *static_cast<std::atomic<bool>*>(flag) = true; },
          &parked);
      came = true;
    });
    while (!parked) yield();
    std::thread late([&] {
      auto ended = std::make_unique<detail::world>();
      late_poller net;
      net.of = ended.get();
      net.ready_now = who;
      ended->net = &net;
      ended->idle_ps = 1;  // else no M need wait there
      detail::M m;
      m.w = ended.get();
      if (comes == how::waits) return detail::idle_without_p(&m);
      detail::P p(0);
      p.turn = comes == how::polls ? 1 : 0;
      m.p = &p;
      CHECK(detail::find_runnable(&m) == nullptr);
      CHECK(p.queue.empty_approx());
    });
    late.join();
    all.wait();
    CHECK(came);
  });
}

namespace {

// One that waits without an end fetches the only fiber that waits for a descriptor once it has been
// woken, and is not scheduled for a while before it can pass it on.
struct slow_poller final : detail::poller {
  detail::G* who = nullptr;
  std::atomic<bool> has = false, settled = false, may_fetch = false, fetched = false, rung = false;
  bool has_waiters() const noexcept override { return has; }
  void poll(detail::P&, detail::ready_list&) override {}
  void wait(std::int64_t until, detail::ready_list& ready) override {
    if (has && until == detail::never) settled = true;
    while (!rung && !may_fetch && detail::now_ns() < until) std::this_thread::sleep_for(1ms);
    rung = false;
    if (!may_fetch || !has.exchange(false)) return;
    fetched = true;
    std::this_thread::sleep_for(30ms);
    detail::ready_into(ready, who);
  }
  void wake() noexcept override { rung = true; }
  void flush(detail::P&) override {}
  void end_world(bool) override {}
};

}  // namespace

// And no guard: its thread would keep the verdict from being reported.
TEST_CASE("no verdict while an M in the poller holds what it has fetched", "[sched][idle][DL-08]") {
  const int procs = GENERATE(2, 4);
  slow_poller net;
  in_world(procs, [&] {
    detail::install_poller(*detail::this_m()->w, &net);
    bool came = false;
    wait_group all;
    all.go([&] {
      net.who = detail::self();
      detail::park(
          detail::wait_reason::io_wait, [](detail::G*, void* has) { *static_cast<std::atomic<bool>*>(has) = true; },
          &net.has);
      came = true;
    });
    const auto settled = make_chan<void>();
    std::thread looks([&] {
      while (!net.settled) std::this_thread::sleep_for(1ms);
      settled.send();
    });
    settled.recv();
    looks.join();
    net.may_fetch = true;
    while (!net.fetched) {
    }
    all.wait();
    CHECK(came);
  });
}
