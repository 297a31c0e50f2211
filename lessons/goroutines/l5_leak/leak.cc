// L5: a fiber that waits for a value that no fiber sends.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

void leak() {
  auto ch = make_chan<int>();
  go([=] {
    if (auto val = ch.recv()) println("We received a value: {}", *val);
  });
  // Returns. The fiber never wakes: no other fiber has a handle of ch.
}

void wrong() {
  println("before: {} fiber", num_fibers());
  leak();
  println("after: {} fibers", num_fibers());
}

// The code that starts a fiber decides how it ends: here by the close, which reaches every
// receiver.
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
                        {{"wrong", "no fiber sends, and none closes", wrong, {.leaks = 1}},
                         {"right", "the fiber that made the channel closes it", right}}};

}  // namespace
