// C3: one producer, five workers, and buffers of different sizes.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int values = 1000, workers = 5;

void sum_through(std::size_t room) {
  const time_point began = now();
  auto numbers = make_chan<int>(room);
  std::atomic<int> total{0};
  wait_group all;
  for (int i = 0; i < workers; ++i)
    all.go([&, numbers] {
      for (int n : numbers) total.fetch_add(n, std::memory_order_relaxed);
    });
  for (int i = 0; i < values; ++i) numbers.send(i % 2);
  numbers.close();
  all.wait();
  println("room for {:>2}: sum {}, {:.0f} us", room, total.load(), static_cast<double>((now() - began).count()) / 1e3);
}

void sizes() {
  for (std::size_t room : {0u, 1u, 5u, 25u}) sum_through(room);
}

const lesson::page page{"C3", "buffer_size", {{"sizes", "no room, and room for 1, 5 and 25", sizes}}};

}  // namespace
