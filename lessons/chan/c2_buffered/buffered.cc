// C2: with a buffer the sender puts down and continues, until it is full.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void room_for_two() {
  auto c = make_chan<std::string>(2);
  std::atomic<int> received{0};
  std::atomic<bool> awake{false};
  wait_group both;
  both.go([&, c] {
    c.send("foo");
    c.send("bar");
    println("two sent, {} received", received.load());
    c.send("baz");
    println("three sent, the receiver is {}", awake.load() ? "awake" : "asleep");
    c.close();
  });
  both.go([&, c] {
    sleep(lesson::scaled(1s));
    awake.store(true);
    for (const std::string& s : c) {
      ++received;
      println("Message: {}", s);
    }
  });
  both.wait();
}

const lesson::page page{"C2", "buffered", {{"room-for-two", "the third send waits", room_for_two}}};

}  // namespace
