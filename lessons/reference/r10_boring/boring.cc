// R10: a fiber that sends messages, and ways to read and to stop it.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Sends until `done` is received; it may be nil.
recv_chan<std::string> boring(const std::string& who, const chan<void>& done = {}) {
  auto c = make_chan<std::string>();
  go([=] {
    for (int i = 0; select(send(c, fmt::format("{} {}", who, i)), recv(done)) == 0; ++i) sleep(lesson::scaled(20ms));
  });
  return c;
}

struct at_end {
  chan<void> done = make_chan<void>();
  ~at_end() { done.close(); }
};

void generator() {
  const at_end leaving;
  const auto joe = boring("Joe", leaving.done), ann = boring("Ann", leaving.done);
  for (int i = 0; i < 3; ++i) {
    println("{}", *joe.recv());
    println("{}", *ann.recv());
  }
  println("You're both boring; I'm leaving.");
}

void fan_in() {
  const at_end leaving;
  const auto joe = boring("Joe", leaving.done), ann = boring("Ann", leaving.done);
  int joes = 0, anns = 0;
  while (joes + anns < 10) select(recv(joe), recv(ann)) == 0 ? ++joes : ++anns;
  println("ten times, {}", joes && anns ? "both of them" : "always the same");
}

// A message has a channel from which its sender receives before it continues.
struct message {
  std::string text;
  chan<void> wait;
};
void in_turn(const std::string& who, const chan<message>& c, const chan<void>& done) {
  auto wait = make_chan<void>();
  go([=] {
    for (int i = 0;; ++i)
      if (select(send(c, message{fmt::format("{} {}", who, i), wait}), recv(done)) != 0 ||
          select(recv(wait), recv(done)) != 0)
        return;
  });
}
void restore_order() {
  const at_end leaving;
  auto c = make_chan<message>();
  in_turn("Joe", c, leaving.done);
  in_turn("Ann", c, leaving.done);
  for (int i = 0; i < 3; ++i) {
    const message first = *c.recv(), second = *c.recv();
    println("round {}: {}", i,
            first.text < second.text ? first.text + ", " + second.text : second.text + ", " + first.text);
    first.wait.send();
    second.wait.send();
  }
}

void timeouts() {
  const at_end leaving;
  const auto joe = boring("Joe", leaving.done);
  std::string s;
  while (select(recv(joe, s), recv(after(lesson::scaled(5ms)))) == 0) continue;
  println("You're too slow.");
  const auto enough = after(lesson::scaled(100ms));
  while (select(recv(joe, s), recv(enough)) == 0) continue;
  println("You talk too much.");
}

// Quit, and wait for the answer, since the other one has something to put away first.
void quit() {
  auto c = make_chan<std::string>(), quit = make_chan<std::string>();
  go([=] {
    for (int i = 0;; ++i) {
      std::string bye;
      if (select(send(c, fmt::format("Joe {}", i)), recv(quit, bye)) == 0) continue;
      sleep(lesson::scaled(5ms));  // cleans up
      return quit.send("See you!");
    }
  });
  for (int i = 0; i < 3; ++i) println("{}", *c.recv());
  quit.send("Bye!");
  println("Joe says: {}", *quit.recv());
}

// Ten thousand fibers: each receives a number from its right neighbour, adds 1 and sends it.
void daisy_chain() {
  constexpr int n = 10'000;
  const auto leftmost = make_chan<int>();
  auto left = leftmost, right = leftmost;
  for (int i = 0; i < n; ++i) {
    right = make_chan<int>();
    go([=] { left.send(1 + *right.recv()); });
    left = right;
  }
  go([=] { right.send(1); });
  println("{}", *leftmost.recv());
}

const lesson::page page{"R10",
                        "boring",
                        {{"generator", "two talkers, received in turn", generator},
                         {"fan-in", "the talker that is ready", fan_in},
                         {"restore-order", "a channel in each message", restore_order},
                         {"timeouts", "for a message, and for all of it", timeouts},
                         {"quit", "quit, with an answer", quit},
                         {"daisy-chain", "10,000 fibers in a row", daisy_chain}}};

}  // namespace
