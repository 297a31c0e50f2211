#include <weft/wait_group.h>

#include <atomic>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/private_member.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace weft::testing {
struct its_state {
  friend std::atomic<std::int64_t> wait_group::*member_of(its_state);
};
template struct private_member<its_state, &wait_group::state_>;
}  // namespace weft::testing

TEST_CASE("wait returns when all are done and releases no other group", "[sync][wait_group][SYN-15]") {
  hang_guard guard("a group is never done");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int n = 16;
    wait_group first, second;
    for (int round = 0; round < 8; ++round) {  // both are used again
      auto exited = make_chan<bool>(n);
      first.add(n);
      second.add(n);
      for (int i = 0; i < n; ++i) {
        go([&] {
          first.done();
          second.wait();
          exited.send(true);
        });
      }
      first.wait();
      for (int i = 0; i < n; ++i) {
        REQUIRE_FALSE(exited.try_recv());
        second.done();
      }
      for (int i = 0; i < n; ++i) REQUIRE(exited.recv());
    }
  });
}

TEST_CASE("a count below zero panics and stays where it was", "[sync][wait_group][SYN-16]") {
  in_world(GENERATE(1, 4), [] {
    const std::string words = "sync: negative WaitGroup counter";
    wait_group g;
    CHECK(panic_text([&] { g.done(); }) == words);
    g.wait();
    g.add(2);
    CHECK(panic_text([&] { g.add(-3); }) == words);
    CHECK(panic_text([&] { g.add(std::numeric_limits<int>::min()); }) == words);
    g.done();
    g.done();
    g.wait();
    CHECK(panic_text([&] { g.done(); }) == words);
  });
}

TEST_CASE("a group used again before its waiters were let go panics", "[sync][wait_group][SYN-17]") {
  const hang_guard guard("a group that was misused");
  wait_group g;
  auto& state = g.*member_of(its_state());
  g.add(1);
  const auto one = state.load();
  std::thread waiter([&] { g.wait(); });
  while (state == one) std::this_thread::yield();
  state -= one;  // a done() that has counted, and has not come to the waiter yet
  CHECK(panic_text([&] { g.add(1); }) == "sync: WaitGroup misuse: Add called concurrently with Wait");
  waiter.join();
  g.add(1);
  g.done();
  g.wait();
}

TEST_CASE("a group that nothing was added to is done", "[sync][wait_group]") {
  in_world(1, [] {
    wait_group g;
    g.wait();
    g.add(0);
    g.wait();
    g.add(1);
    g.add(-1);
    g.wait();
  });
}

TEST_CASE("what was done before done() is seen after wait()", "[sync][wait_group][SYN-18][SYN-47]") {
  hang_guard guard("a group is never done");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(5000); ++round) {
      int a = 0, b = 0;  // plain: the group alone orders them
      wait_group g;
      g.add(2);
      go([&] {
        a = 1;
        g.done();
      });
      go([&] {
        b = 1;
        g.done();
      });
      g.wait();
      REQUIRE((a == 1 && b == 1));
    }
  });
}

TEST_CASE("every one that waits is released", "[sync][wait_group][SYN-15]") {
  hang_guard guard("a waiter was forgotten");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(300); ++round) {
      wait_group g, waiters;
      std::atomic<int> early = 0;
      std::atomic<bool> done = false;
      g.add(1);
      for (int i = 0; i < 20; ++i) {
        waiters.go([&] {
          g.wait();
          if (!done) ++early;
        });
      }
      if (round % 2 == 0) yield();
      done = true;
      g.done();
      waiters.wait();
      REQUIRE(early == 0);
    }
  });
}

TEST_CASE("a group may end as soon as wait has returned", "[sync][wait_group]") {
  hang_guard guard("a short-lived group is never done");
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(10'000); ++i) {
      auto g = std::make_unique<wait_group>();
      g->add(2);
      for (int k = 0; k < 2; ++k) go([at = g.get()] { at->done(); });
      g->wait();
      g.reset();
    }
  });
}

TEST_CASE("go adds one, starts the fiber, and is done when it returns", "[sync][wait_group][SYN-20]") {
  hang_guard guard("a group with fibers in fibers is never done");
  in_world(GENERATE(1, 2, 4, 16), [] {
    wait_group g;
    std::atomic<int> ran = 0;
    struct tree {
      wait_group& g;
      std::atomic<int>& ran;
      void grow(int depth) const {
        ++ran;
        if (depth == 0) return;
        for (int i = 0; i < 3; ++i) g.go([t = *this, depth] { t.grow(depth - 1); });
      }
    };
    g.go([&] { tree{g, ran}.grow(5); });
    g.wait();
    CHECK(ran == 364);
    auto only_moves = std::make_unique<int>(1);
    g.go([p = std::move(only_moves), &ran] { ran += *p; });
    g.wait();
    CHECK(ran == 365);
  });
}

TEST_CASE("a fiber that could not be started is not waited for", "[sync][wait_group][SYN-20]") {
  hang_guard guard("a group waits for a fiber that was never started");
  struct cannot_be_copied_today {
    cannot_be_copied_today() = default;
    cannot_be_copied_today(const cannot_be_copied_today&) { throw std::runtime_error("not today"); }
    void operator()() const {}
  };
  wait_group g;
  in_world(GENERATE(1, 4), [&] {
    const cannot_be_copied_today f;
    CHECK_THROWS_AS(g.go(f), std::runtime_error);
    g.wait();
  });
  CHECK_THROWS_AS(g.go([] {}), panic);  // no world
  CHECK(panic_text([&] { g.done(); }) == "sync: negative WaitGroup counter");
}

TEST_CASE("what a group's fiber captured is destroyed before the wait ends", "[chan][wait_group]") {
  in_world(GENERATE(1, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      const auto shared = std::make_shared<int>(i);
      wait_group group;
      group.go([shared] { yield(); });
      group.go([shared]() mutable {
        yield();
        goexit();
      });
      group.wait();
      REQUIRE(shared.use_count() == 1);
    }
  });
}
