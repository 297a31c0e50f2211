// M3: one fiber writes a, then b. Another fiber waits until it sees b. Does it see a?
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int rounds = 20'000;

struct shared {
  std::atomic<int> a{0}, b{0};
};

// Each round: one fiber writes, another one reads a as soon as it sees b.
template <class Write, class Read>
void count(const char* what, Write write, Read read_b) {
  int saw_b = 0, without_a = 0;
  for (int i = 0; i < rounds; ++i) {
    shared s;
    wait_group both;
    both.go([&] { write(s); });
    both.go([&] {
      while (read_b(s.b) != 2) yield();
      ++saw_b;
      without_a += s.a.load(std::memory_order_relaxed) == 0;
    });
    both.wait();
  }
  println("{}: b was seen {} times, {} of them without a", what, saw_b, without_a);
}

int relaxed(const std::atomic<int>& b) { return b.load(std::memory_order_relaxed); }

void wrong() {
  count(
      "relaxed",
      [](shared& s) {
        s.a.store(1, std::memory_order_relaxed);
        s.b.store(2, std::memory_order_relaxed);
      },
      relaxed);
}

// What a compiler or an Arm CPU may make of wrong(): the stores in the other order.
void wrong_exchanged() {
  count(
      "exchanged",
      [](shared& s) {
        s.b.store(2, std::memory_order_relaxed);
        yield();
        s.a.store(1, std::memory_order_relaxed);
      },
      relaxed);
}

void right() {
  count(
      "release and acquire",
      [](shared& s) {
        s.a.store(1, std::memory_order_relaxed);
        s.b.store(2, std::memory_order_release);
      },
      [](const std::atomic<int>& b) { return b.load(std::memory_order_acquire); });
}

const lesson::page page{"M3",
                        "publication",
                        {{"wrong", "relaxed: seeing b promises nothing about a", wrong},
                         {"wrong-exchanged", "the order that wrong permits", wrong_exchanged},
                         {"right", "b is released and acquired: a reader that sees b sees a", right}}};

}  // namespace
