// wait_group.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using Catch::Matchers::Contains;

TEST_CASE("a wait ends when all are done and no other does, eight times over", "[sync][wait_group][SYN-15]") {
  hang_guard guard("a wait group hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(100); ++round) {
      wait_group first, second;
      for (int use = 0; use < 8; ++use) {
        std::atomic<int> exited = 0;
        first.add(16);
        second.add(16);
        for (int i = 0; i < 16; ++i)
          go([&] {
            first.done();
            second.wait();
            ++exited;
          });
        first.wait();
        for (int i = 0; i < 16; ++i) {
          REQUIRE(exited == 0);  // second still has some to go
          second.done();
        }
        await([&] { return exited == 16; });
      }
    }
  });
}

TEST_CASE("a count below zero panics and changes nothing", "[sync][wait_group][SYN-16]") {
  in_world(GENERATE(1, 4), [] {
    wait_group g;
    CHECK_THAT(panic_of([&] { g.done(); }), Contains("negative WaitGroup counter"));
    g.add(1);
    g.done();
    g.wait();
    CHECK_THAT(panic_of([&] { g.add(-2); }), Contains("negative WaitGroup counter"));
    g.wait();
  });
}

TEST_CASE("what was done before done is seen after wait", "[sync][wait_group][SYN-18][SYN-47]") {
  hang_guard guard("a wait group hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(3000); ++round) {
      wait_group g;
      int a = 0, b = 0;
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
      REQUIRE(a + b == 2);
    }
  });
}

TEST_CASE("a wait group's fibers may start further ones", "[sync][wait_group][SYN-20]") {
  hang_guard guard("a wait group hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(200); ++round) {
      wait_group g;
      std::atomic<int> ran = 0;
      g.go([&] {
        for (int i = 0; i < 8; ++i)
          g.go([&] {
            g.go([&] { ++ran; });
            ++ran;
          });
        ++ran;
      });
      g.wait();
      REQUIRE(ran == 17);
    }
  });
}

TEST_CASE("a fiber that calls goexit is done", "[sync][wait_group][SYN-20]") {
  hang_guard guard("goexit is not done");
  in_world(GENERATE(1, 4), [] {
    wait_group g;
    g.go([] { goexit(); });
    g.wait();
  });
}

TEST_CASE("a wait group may be destroyed as soon as wait has returned", "[sync][wait_group]") {
  hang_guard guard("a wait group on a stack");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int i = 0; i < scaled(5000); ++i) {
      auto g = std::make_unique<wait_group>();
      g->add(1);
      go([at = g.get()] { at->done(); });
      g->wait();
      g.reset();
    }
  });
}

TEST_CASE("plain threads wait for fibers", "[sync][wait_group]") {
  hang_guard guard("a thread waits for ever");
  in_world(GENERATE(1, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      wait_group work;
      work.add(4);
      std::atomic<int> back = 0;
      std::vector<std::thread> threads;
      for (int t = 0; t < 2; ++t)
        threads.emplace_back([&] {
          work.wait();
          ++back;
        });
      for (int f = 0; f < 4; ++f) go([&] { work.done(); });
      blocking([&] {
        for (auto& t : threads) t.join();
      });
      REQUIRE(back == 2);
    }
  });
}
