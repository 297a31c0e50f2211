// Programs with a seeded bug, which must be found, shrunk and replayed, and their repaired twins,
// which must pass.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/sim.h>
#include <weft/wait_group.h>

#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace {

using weft::sim::explore;
using weft::sim::report;
using weft::sim::strategy;
using weft::sim::verdict;

constexpr strategy all[] = {strategy::random, strategy::pct, strategy::pos, strategy::bounded};

void lost_update() {
  auto n = std::make_shared<int>(0);
  weft::wait_group g;
  for (int i = 0; i < 2; ++i)
    g.go([n] {
      const int before = *n;
      weft::sim::point();
      *n = before + 1;
    });
  g.wait();
  weft::sim::require(*n == 2, "no update is lost");
}

void crossed_locks() {
  auto a = std::make_shared<weft::mutex>(), b = std::make_shared<weft::mutex>();
  weft::wait_group g;
  g.go([a, b] {
    const std::lock_guard first(*a);
    const std::lock_guard second(*b);
  });
  g.go([a, b] {
    const std::lock_guard first(*b);
    const std::lock_guard second(*a);
  });
  g.wait();
}

void check_found(void (*program)(), verdict v) {
  for (const strategy how : all) {
    INFO("strategy " << static_cast<int>(how));
    const report r = explore({.seed = 1, .how = how, .schedules = 1000}, program);
    INFO(r.message << "\n" << r.story << r.replay);
    CHECK(r.what == v);
    CHECK(r.switches <= 5);
    for (int i = 0; i < 100; ++i) {
      const report again = weft::sim::replay(r.replay, program);
      REQUIRE(again.what == v);
      REQUIRE(again.message == r.message);
    }
  }
}

}  // namespace

TEST_CASE("a program that ends passes in a simulation", "[sim]") {
  const report r = weft::sim::run([] {
    auto ch = weft::make_chan<int>();
    weft::go([ch] { ch.send(7); });
    weft::sim::require(ch.recv() == 7);
  });
  INFO(r.message);
  CHECK(r);
}

TEST_CASE("a lost update is found by each strategy and replayed", "[sim]") {
  check_found(lost_update, verdict::failed);
}

TEST_CASE("crossed locks are found by each strategy and replayed", "[sim]") {
  check_found(crossed_locks, verdict::deadlock);
}

TEST_CASE("what a program does once in a process is no difference between schedules", "[sim]") {
  static int made = 0;
  made = 0;
  const auto program = [] {
    auto m = std::make_shared<weft::mutex>();
    if (made == 0) {
      const std::lock_guard hold(*m);  // a step of the first schedule alone
      made = 1;
    }
    weft::wait_group g;
    g.go([m] { const std::lock_guard hold(*m); });
    g.wait();
  };
  const report r = explore({.seed = 1, .schedules = 10}, program);
  INFO(r);
  CHECK(r);
}

TEST_CASE("a replay string fits a process that has not run the program yet", "[sim]") {
  static bool once = false;
  const auto program = [] {
    if (!once) weft::yield();
    once = true;
    lost_update();
  };
  const report r = explore({.seed = 1}, program);
  REQUIRE(r.what == verdict::failed);
  once = false;
  const report again = weft::sim::replay(r.replay, program);
  CHECK(again.message == r.message);
}

TEST_CASE("a program that asks something outside gives the first step that differs", "[sim]") {
  static int runs = 0;
  const report r = explore({.seed = 1}, [] {
    auto ch = weft::make_chan<int>(1);
    ch.send(1);
    if (++runs % 2) weft::yield();
    ch.send(2);
  });
  CHECK(r.what == verdict::nondeterministic);
  CHECK(r.message.find("step 2") != std::string::npos);
  CHECK(r.message.find("yield") != std::string::npos);
}

TEST_CASE("a panic whose text differs from run to run is a panic", "[sim]") {
  int runs = 0;
  const report r = explore({.seed = 1}, [&runs] { throw std::runtime_error("at run " + std::to_string(++runs)); });
  INFO(r);
  CHECK(r.what == verdict::panic);
}

TEST_CASE("a replay string of another version of the program says so", "[sim]") {
  const report r = explore({.seed = 1}, lost_update);
  const report other = weft::sim::replay(r.replay, [] { weft::yield(); });
  CHECK(other.message.find("another version of the program") != std::string::npos);
}
