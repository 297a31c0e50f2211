// C6: work that is dropped when there is too much of it.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

void drop() {
  constexpr int work = 2000;
  auto ch = make_chan<int>(100);
  int received = 0;
  wait_group consumer;
  consumer.go([&, ch] {
    for (int n : ch) {
      (void)n;
      ++received;
    }
  });
  int sent = 0, dropped = 0;
  for (int i = 0; i < work; ++i) {
    switch (select(send(ch, i), otherwise)) {
      case 0: ++sent; break;
      case 1: ++dropped; break;
    }
    if (i % 250 == 249) yield();
  }
  ch.close();
  consumer.wait();
  println("{} sent, {} dropped", sent, dropped);
  println("{} in all, {} received", sent + dropped, received == sent ? "all sent ones" : "not all sent ones");
}

const lesson::page page{"C6", "drop", {{"drop", "room for 100, and no waiting", drop}}};

}  // namespace
