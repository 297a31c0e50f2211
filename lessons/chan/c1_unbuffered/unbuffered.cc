// C1: without a buffer sender and receiver meet.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void meet() {
  const lesson::stopwatch watch;
  auto c = make_chan<std::string>();
  wait_group both;
  both.go([&, c] {
    c.send("foo");
    println("Sent. After {} ms", watch.ms());
  });
  both.go([&, c] {
    sleep(lesson::scaled(1s));
    println("Message: {}", *c.recv());
  });
  both.wait();
}

const lesson::page page{"C1", "unbuffered", {{"meet", "the sender waits for a receiver who sleeps", meet}}};

}  // namespace
