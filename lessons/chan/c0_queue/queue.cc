// C0: a channel is a queue of values, and of waiting fibers for them.
#include <fmt/ranges.h>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// Customers take a ticket and wait; the counter serves them.
void tickets() {
  constexpr int customers = 5;
  auto counter = make_chan<int>();
  std::vector<int> served(customers);
  wait_group all;
  std::atomic<int> waiting{0};
  for (int i = 0; i < customers; ++i) {
    all.go([&, i] {
      waiting.store(i + 1);
      served[static_cast<std::size_t>(i)] = *counter.recv();
    });
    // The next one comes when this one stands in the queue.
    while (waiting.load() != i + 1) yield();
    sleep(lesson::scaled(std::chrono::milliseconds(20)));
  }
  for (int number = 1; number <= customers; ++number) counter.send(number);
  all.wait();
  println("in the order in which they came: {}", served);
}

// One baton, six fibers: the fiber that has it runs, the other fibers wait.
void baton() {
  auto hand = make_chan<int>();
  wait_group all;
  for (int runner = 1; runner <= 6; ++runner)
    all.go([&] {
      const int step = *hand.recv();
      println("step {}", step);
      if (step < 6) hand.send(step + 1);
    });
  hand.send(1);
  all.wait();
}

const lesson::page page{"C0",
                        "queue",
                        {{"tickets", "who waits longest is served first", tickets},
                         {"baton", "one value that goes from hand to hand", baton}}};

}  // namespace
