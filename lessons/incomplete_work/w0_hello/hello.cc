// W0: the smallest incomplete work.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

void wrong() {
  println("Hello");
  go([] { println("Goodbye"); });
}

void right() {
  println("Hello");
  wait_group wg;
  wg.go([] { println("Goodbye"); });
  wg.wait();
}

const lesson::page page{"W0",
                        "hello",
                        {{"wrong", "main returns and waits for no fiber", wrong, {.end = lesson::at_end::leave}},
                         {"right", "main waits", right, {.end = lesson::at_end::leave}}}};

}  // namespace
