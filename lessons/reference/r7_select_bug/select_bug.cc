// R7: a select in a loop evaluates its cases in each turn.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

constexpr int steps = 5;

lesson::racy<bool> flag_says_stop = false;
std::atomic<bool> says_stop{false};

// Starts a worker that works in steps, looks at a flag between them, and reports its end.
template <class Flag>
chan<void> start_work(Flag& stop) {
  auto complete = make_chan<void>(1);
  println("Start work");
  go([=, &stop] {
    for (int i = 0; i < steps; ++i) {
      sleep(lesson::scaled(1s));
      if (static_cast<bool>(stop)) {
        println("Kill Early");
        break;
      }
    }
    complete.send();
  });
  return complete;
}

// Ctrl-C, after one and a half steps.
chan<void> interrupt() {
  auto sig = make_chan<void>(1);
  go([=] {
    sleep(lesson::scaled(1500ms));
    sig.send();
  });
  return sig;
}

void wrong() {
  const auto sig = interrupt();
  for (;;) {
    switch (select(recv(start_work(flag_says_stop)), recv(sig))) {  // a worker for every time round
      case 0: return println("Complete");
      case 1: flag_says_stop = true; break;
    }
  }
}

void right() {
  const auto sig = interrupt();
  const auto complete = start_work(says_stop);
  for (;;) {
    switch (select(recv(complete), recv(sig))) {
      case 0: return println("Complete");
      case 1: says_stop.store(true); break;
    }
  }
}

const lesson::page page{"R7",
                        "select_bug",
                        {{"wrong", "the worker is started in the case", wrong},
                         {"right", "the worker is started once, and the flag is atomic", right}}};

}  // namespace
