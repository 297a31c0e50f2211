// C4: giving up on a channel after a while.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

chan<int> answer_after(duration d) {
  auto ch = make_chan<int>(1);
  go([=] {
    sleep(d);
    ch.send(42);
  });
  return ch;
}

void take(const chan<int>& ch, const char* when) {
  auto timeout = make_chan<bool>(1);  // room for one: the sleeper can always put it down
  go([=] {
    sleep(lesson::scaled(500ms));
    timeout.send(true);
  });
  int v;
  switch (select(recv(ch, v), recv(timeout))) {
    case 0: println("{}: received {}", when, v); break;
    case 1: println("{}: timed out", when); break;
  }
}

void by_hand() {
  take(answer_after(0ms), "immediately");
  take(answer_after(lesson::scaled(3s)), "late");
}

void with_after() {
  const auto late = answer_after(lesson::scaled(3s));
  int v;
  if (select(recv(late, v), recv(after(lesson::scaled(500ms)))) == 0) println("received {}", v);
  else println("timed out");
  if (!late.recv_for(lesson::scaled(100ms))) println("timed out again, in one call");
}

const lesson::page page{
    "C4",
    "timeout",
    {{"by-hand", "a fiber that sleeps and then sends", by_hand}, {"right", "after() and recv_for()", with_after}}};

}  // namespace
