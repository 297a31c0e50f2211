// R3: a timer function that arms its timer before the timer's variable is assigned.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

constexpr int rounds = 3;

// The variable is assigned when after_func() has returned. The function may run before that.
void wrong() {
  static lesson::racy<timer*> t = nullptr;
  auto ended = make_chan<void>();
  timer made = after_func(0ns, [=] {
    timer* const mine = t;
    if (mine) println("armed again: {}", mine->reset(1h));
    else println("nil timer: a program that used it would end here");
    ended.close();
  });
  ended.recv();  // a slow assignment
  t = &made;
}

// Only the main fiber touches the timer. The function requests another call.
void right() {
  auto reset = make_chan<bool>();
  timer t = after_func(lesson::scaled(10ms), [=] { reset.send(true); });
  for (int i = 1; i <= rounds; ++i) {
    reset.recv();
    println("fired {}", i);
    if (i < rounds) t.reset(lesson::scaled(10ms));
  }
}

const lesson::page page{
    "R3",
    "timer_race",
    {{"wrong", "the function uses the variable", wrong}, {"right", "the function sends a request", right}}};

}  // namespace
