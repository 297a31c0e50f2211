// X12: a cancel that is thrown away.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

std::string state(const context& ctx) { return ctx.err() ? ctx.err().message() : "still good"; }

// In Go the child of a discarded cancel stays in its parent's list until the parent ends. In weft
// cancel's destructor cancels, and a cancel that is not kept is destroyed at the end of the line.
void wrong() {
  const context ctx = with_timeout(background(), 1h).ctx;
  println("one line later: {}", state(ctx));
}

void right() {
  const auto [ctx, cancel] = with_timeout(background(), 1h);
  println("one line later: {}", state(ctx));
}

// A parent that lives long has a hundred thousand short-lived children, one after the other.
void many() {
  const auto [parent, cancel_parent] = with_cancel(background());
  int good = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto [child, cancel] = with_timeout(parent, 1h);
    good += !child.err();
  }
  println("{} children have come and gone, the parent is {}", good, state(parent));
}

const lesson::page page{"X12",
                        "always_cancel",
                        {{"wrong", "only the context is kept", wrong},
                         {"right", "cancel lives as long as the work", right},
                         {"many", "children that end leave nothing behind", many}}};

}  // namespace
