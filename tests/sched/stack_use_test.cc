// How deep a fiber may go, and what many of them cost.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/memory.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

namespace {

// Uses about `bytes` of stack, touching all of it, and suspends at the bottom.
[[gnu::noinline]] int dig(long bytes) {
  volatile char room[4096];
  for (std::size_t i = 0; i < sizeof room; i += 64) room[i] = static_cast<char>(i);
  if (bytes <= 0) {
    yield();
    return room[64];
  }
  int below = dig(bytes - static_cast<long>(sizeof room) - 256);
  return below + (room[128] == static_cast<char>(128) ? 1 : 1000);
}

}  // namespace

TEST_CASE("a fiber uses nearly all of its stack", "[sched][GO-36]") {
  in_world(GENERATE(1, 4), [] {
    auto depth = make_chan<int>();
    // A sanitizer widens the frames.
    for (int i = 0; i < 8; ++i) go([depth] { depth.send(dig(sanitized ? 64 << 10 : 200 << 10)); });
    for (int i = 0; i < 8; ++i) CHECK(depth.recv().value() < 1000);
  });
}

TEST_CASE("a fiber with a stack of its own size goes as deep as that", "[sched][GO-36]") {
  in_world(GENERATE(1, 4), [] {
    auto depth = make_chan<int>();
    for (long mib : {1L, 8L, 64L}) {
      go(fiber_options{.stack_size = static_cast<std::size_t>(mib) << 20},
         [depth, mib] { depth.send(dig((mib << 20) / (sanitized ? 4 : 2))); });
      CHECK(depth.recv().value() < 100'000);
    }
  });
}

TEST_CASE("the world's stack size holds for every fiber", "[sched][GO-36]") {
  int deep = 0;
  run(options{.maxprocs = 2, .stack_size = 4 << 20}, [&] {
    auto depth = make_chan<int>();
    go([depth] { depth.send(dig(sanitized ? 1 << 20 : 3 << 20)); });
    deep = depth.recv().value();
  });
  CHECK(deep > 0);
  CHECK(deep < 100'000);
}

TEST_CASE("the main fiber may go as deep as the others", "[sched][GO-36]") {
  in_world(1, [] { CHECK(dig(sanitized ? 64 << 10 : 200 << 10) < 1000); });
}

TEST_CASE("a stack that was used deeply serves the next fiber", "[sched][GO-35]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> ran = 0;
    for (int i = 0; i < scaled(200); ++i) {
      wait_group all;
      for (int k = 0; k < 10; ++k) {
        all.go([&, k] {
          dig(k % 2 == 0 ? 100 << 10 : 0);
          ++ran;
        });
      }
      all.wait();
    }
    CHECK(ran == 10 * scaled(200));
  });
}

TEST_CASE("a hundred thousand parked fibers wake and end", "[sched][GO-35]") {
  hang_guard guard("a hundred thousand fibers do not end");
  in_world(GENERATE(1, 4), [] {
    const int n = sanitized ? 2000 : 100'000;
    auto gate = make_chan<void>();
    std::atomic<int> woke = 0;
    long before = resident_pages();
    wait_group all;
    for (int i = 0; i < n; ++i) {
      all.go([&, gate] {
        gate.recv();
        ++woke;
      });
    }
    while (num_fibers() < static_cast<std::size_t>(n) + 1) yield();
    for (int i = 0; i < 3; ++i) yield();
    long pages_each = (resident_pages() - before) / n;
    gate.close();
    all.wait();
    CHECK(woke == n);
    if (!sanitized) CHECK(pages_each <= 3);
  });
}

TEST_CASE("two hundred thousand fibers park on a page each and in a few mappings", "[sched][GO-35]") {
  if (sanitized) return;  // which keep more than a page for each, and a mapping
  hang_guard guard("two hundred thousand fibers do not park");
  in_world(GENERATE(1, 4), [] {
    constexpr int n = 200'000;
    auto gate = make_chan<void>();
    std::atomic<int> parked = 0;
    const long pages_before = resident_pages(), mappings_before = mappings();
    wait_group all;
    for (int i = 0; i < n; ++i) {
      all.go([&, gate] {
        ++parked;
        gate.recv();
      });
    }
    while (parked < n) yield();
    // A page of stack, and a start record, its share of page tables not counted.
    CHECK((resident_pages() - pages_before) * 4096 / n <= 4430);
    CHECK(mappings() - mappings_before < 300);
    gate.close();
    all.wait();
  });
}

TEST_CASE("memory of a wave of fibers is used again by the next", "[sched][GO-35]") {
  in_world(GENERATE(1, 4), [] {
    auto wave = [] {
      wait_group all;
      for (int i = 0; i < scaled(5000); ++i) all.go([] { yield(); });
      all.wait();
    };
    for (int i = 0; i < 3; ++i) wave();
    long before = resident_pages();
    for (int i = 0; i < 20; ++i) wave();
    long grown = resident_pages() - before;
    if (!sanitized) CHECK(grown < 5000);  // far below a page for each of a hundred thousand
  });
}

TEST_CASE("a million fibers start and end", "[.][slow][sched][GO-35]") {
  hang_guard guard("a million fibers do not end", std::chrono::seconds(300));
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int n = scaled(1'000'000);
    std::atomic<int> ran = 0;
    wait_group all;
    for (int i = 0; i < n; ++i) all.go([&] { ++ran; });
    all.wait();
    CHECK(ran == n);
  });
}

TEST_CASE("a million fibers that suspend start and end", "[.][slow][sched][GO-35]") {
  hang_guard guard("a million fibers do not end", std::chrono::seconds(300));
  in_world(GENERATE(1, 4), [] {
    const int n = scaled(1'000'000);
    std::atomic<int> ran = 0;
    wait_group all;
    for (int i = 0; i < n; ++i) {
      all.go([&] {
        yield();
        ++ran;
      });
    }
    all.wait();
    CHECK(ran == n);
  });
}

TEST_CASE("a chain of fibers, each started by the one before, comes to its end", "[sched][GO-35]") {
  hang_guard guard("a chain of fibers breaks off");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto done = make_chan<int>();
    auto link = [done](auto self, int left) -> void {
      if (left == 0) done.send(1);
      else go([self, left] { self(self, left - 1); });
    };
    link(link, scaled(100'000));
    CHECK(done.recv() == 1);
  });
}

TEST_CASE("a tree of fibers that wait for their children comes to its end", "[sched][GO-35]") {
  hang_guard guard("a tree of fibers does not end");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> leaves = 0;
    auto node = [&](auto self, int depth) -> void {
      if (depth == 0) {
        ++leaves;
        return;
      }
      wait_group both;
      for (int i = 0; i < 2; ++i) both.go([&, self, depth] { self(self, depth - 1); });
      both.wait();
    };
    const int depth = sanitized ? 8 : 13;
    node(node, depth);
    CHECK(leaves == 1 << depth);
  });
}
