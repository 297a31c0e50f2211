// L5: a fiber that waits for a value which nobody sends.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

void leak() {
  auto ch = make_chan<int>();
  go([=] {
    if (auto val = ch.recv()) println("We received a value: {}", *val);
  });
  // Returns. The fiber waits for ever: it holds the only handles of ch that are left.
}

void wrong() {
  println("before: {} fiber", num_fibers());
  leak();
  println("after: {} fibers", num_fibers());
}

// Whoever starts a fiber knows how it ends: here by the close, which every receiver sees.
void right() {
  auto ch = make_chan<int>();
  go([=] {
    if (auto val = ch.recv()) println("We received a value: {}", *val);
    else println("The channel was closed");
  });
  ch.close();
}

const lesson::page page{"L5",
                        "leak",
                        {{"wrong", "nobody sends and nobody closes", wrong, {.leaks = 1}},
                         {"right", "the one who made the channel closes it", right}}};

}  // namespace
