// M1: two CPUs write one variable each and read the other's. May both read 0?
//
// This one needs bare threads: what it shows is the CPU's doing, not the scheduler's.
#include <array>
#include <atomic>
#include <thread>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Each on a cache line of its own.
struct alignas(64) cell {
  std::atomic<int> value{0};
};
struct table {
  cell a, b, round;
  int r1 = 0, r2 = 0;
};

// Both threads begin a round at the same moment.
void meet(std::atomic<int>& round, int arrivals) {
  round.fetch_add(1);
  for (int i = 0; round.load() < arrivals; ++i)
    if (i > 1000) std::this_thread::yield();  // a machine with one CPU
}

template <class Store, class Load>
void litmus(const char* what, Store store, Load load) {
  table t;
  std::array<long, 4> seen{};
  std::atomic<bool> stop{false};
  const auto half = [&](std::atomic<int>& mine, std::atomic<int>& other, int& read, auto between) {
    for (int arrivals = 2; !stop.load(); arrivals += 6) {
      meet(t.round.value, arrivals);
      store(mine);
      read = load(other);
      meet(t.round.value, arrivals + 2);
      between();
      meet(t.round.value, arrivals + 4);
    }
  };
  const time_point end = now() + lesson::scaled(300ms);
  std::thread second([&] { half(t.b.value, t.a.value, t.r2, [] {}); });
  half(t.a.value, t.b.value, t.r1, [&] {
    ++seen[static_cast<std::size_t>(t.r1 * 2 + t.r2)];
    t.a.value.store(0);
    t.b.value.store(0);
    stop.store(now() > end);
  });
  second.join();
  println("{}: 01 {}, 10 {}, 11 {}, 00 {}", what, seen[1], seen[2], seen[3], seen[0]);
}

void wrong() {
  blocking([] {
    litmus(
        "relaxed", [](auto& x) { x.store(1, std::memory_order_relaxed); },
        [](auto& x) { return x.load(std::memory_order_relaxed); });
    litmus(
        "release and acquire", [](auto& x) { x.store(1, std::memory_order_release); },
        [](auto& x) { return x.load(std::memory_order_acquire); });
  });
}

void right() {
  blocking([] {
    litmus(
        "sequentially consistent", [](auto& x) { x.store(1); }, [](auto& x) { return x.load(); });
  });
}

// Two fibers on one P: concurrent, not parallel. There is one CPU, and it sees its own stores.
void one_p() {
  maxprocs(1);
  long both_zero = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::atomic<int> a{0}, b{0};
    int r1 = 0, r2 = 0;
    wait_group both;
    both.go([&] {
      a.store(1, std::memory_order_relaxed);
      if (round % 2) yield();
      r1 = b.load(std::memory_order_relaxed);
    });
    both.go([&] {
      b.store(1, std::memory_order_relaxed);
      if (round % 3) yield();
      r2 = a.load(std::memory_order_relaxed);
    });
    both.wait();
    both_zero += r1 == 0 && r2 == 0;
  }
  println("one P, relaxed: 00 {}", both_zero);
}

const lesson::page page{"M1",
                        "store_buffer",
                        {{"wrong", "relaxed, or release and acquire: 00 may happen", wrong},
                         {"right", "sequentially consistent: 00 never happens", right},
                         {"one-p", "two fibers on one P: 00 never happens either", one_p}}};

}  // namespace
