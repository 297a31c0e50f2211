// Between being queued on a channel and being off its stack a fiber is half parked: a waker that
// finds it must not run it, and nothing may be done to its stack.
#include <array>
#include <atomic>
#include <vector>

#include "tests/chan/slow_gate.h"
#include "tests/chan/waiting.h"
#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Uses enough of the stack that a page that was given back would be seen.
[[gnu::noinline]] int use_stack(int depth) {
  volatile char page[4096];
  page[0] = static_cast<char>(depth);
  page[4095] = 1;
  return depth == 0 ? page[4095] : use_stack(depth - 1) + page[0] - static_cast<char>(depth);
}

}  // namespace

TEST_CASE("a value on a parked sender's stack is safe while stacks are given back", "[chan][CHAN-35]") {
  hang_guard guard("a parked sender was not released");
  in_world(GENERATE(1, 2, 4), [] {
    using big = std::array<std::uint64_t, 512>;
    constexpr std::uint64_t n = 64;
    auto c = make_chan<big>();
    wait_group all;
    std::atomic<std::uint64_t> about = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      all.go([&, i] {
        use_stack(20);
        big b;
        for (std::uint64_t k = 0; k < b.size(); ++k) b[k] = i * 1000 + k;
        ++about;
        c.send(b);
        use_stack(20);
      });
    }
    until([&] { return about == n; });
    // Many fibers and then none: their stacks are idle, and the monitor gives their memory back.
    for (int round = 0; round < 3; ++round) {
      wait_group crowd;
      auto gate = make_chan<void>();
      for (int i = 0; i < scaled(2000); ++i) {
        crowd.go([&] {
          use_stack(4);
          gate.recv();
        });
      }
      gate.close();
      crowd.wait();
      sleep(20ms);
    }
    std::uint64_t ids = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      const big b = c.recv().value();
      ids += b[0] / 1000;
      for (std::uint64_t k = 0; k < b.size(); ++k) REQUIRE(b[k] == b[0] + k);
    }
    CHECK(ids == n * (n - 1) / 2);
    all.wait();
  });
}

TEST_CASE("a fiber that is woken while it parks runs once, and on one stack", "[chan][CHAN-36]") {
  hang_guard guard("a half-parked fiber was lost");
  CHECK(hammer_gate<park_with::commit>(GENERATE(2, 4, 16), scaled(20'000)) == 0);
}

TEST_CASE("canary: a fiber that lets go of its lock before it is parked is noticed", "[chan][CHAN-36][canary]") {
  // It crashes, hangs, or counts wrong: what it does not do is end well.
  bool noticed = false;
  for (int i = 0; i < 10 && !noticed; ++i) {
    outcome o = run_child({beside_this_program("chan_scenarios"), "half-parked"}, 10);
    noticed = o.timed_out || o.status != 0;
  }
  CHECK(noticed);
  outcome right = run_child({beside_this_program("chan_scenarios"), "well-parked"});
  CAPTURE(right.err, right.timed_out);
  CHECK(right.status == 0);
}

TEST_CASE("partners that always meet half parked lose no value", "[chan][CHAN-36]") {
  hang_guard guard("a rendezvous was lost");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int pairs = 8;
    const int n = scaled(20'000);
    std::atomic<int> wrong = 0;
    wait_group all;
    for (int p = 0; p < pairs; ++p) {
      auto there = make_chan<int>(), back = make_chan<int>();
      all.go([&, there, back] {
        for (int i = 0; i < n; ++i) {
          there.send(i);
          if (back.recv() != i + 1) ++wrong;
        }
        there.close();
      });
      all.go([&, there, back] {
        int v = 0;
        bool ok = false;
        for (;;) {
          select(recv(there, v, ok), recv(chan<int>()));
          if (!ok) return;
          select(send(back, v + 1), send(chan<int>(), 1));
        }
      });
    }
    all.wait();
    CHECK(wrong == 0);
  });
}
