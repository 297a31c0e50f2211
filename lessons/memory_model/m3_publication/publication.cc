// M3: one fiber writes a, then b. Does another one that sees b see a?
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int rounds = 20'000;

struct shared {
  std::atomic<int> a{0}, b{0};
};

template <class Write, class Read>
void count(const char* what, Write write_b, Read read_b) {
  int saw_b = 0, without_a = 0;
  for (int i = 0; i < rounds; ++i) {
    shared s;
    wait_group both;
    both.go([&] {
      s.a.store(1, std::memory_order_relaxed);
      write_b(s.b);
    });
    both.go([&] {
      const int b = read_b(s.b), a = s.a.load(std::memory_order_relaxed);
      saw_b += b == 2;
      without_a += b == 2 && a == 0;
    });
    both.wait();
  }
  println("{}: b was seen {} times, {} of them without a", what, saw_b, without_a);
}

void wrong() {
  count(
      "relaxed", [](auto& b) { b.store(2, std::memory_order_relaxed); },
      [](auto& b) { return b.load(std::memory_order_relaxed); });
}

void right() {
  count(
      "release and acquire", [](auto& b) { b.store(2, std::memory_order_release); },
      [](auto& b) { return b.load(std::memory_order_acquire); });
}

const lesson::page page{"M3",
                        "publication",
                        {{"wrong", "relaxed: seeing b promises nothing about a", wrong},
                         {"right", "b is released and acquired: whoever sees b sees a", right}}};

}  // namespace
