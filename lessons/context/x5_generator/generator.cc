// X5: a generator that ends when its consumer has had enough.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

recv_chan<int> gen(const context& ctx) {
  auto dst = make_chan<int>();
  go([=] {
    for (int n = 1;; ++n)
      if (dst.send(ctx, n)) return;  // ctx ends; dst stays open
  });
  return dst;
}

void right() {
  auto [ctx, cancel] = with_cancel(background());
  for (int n : gen(ctx)) {
    println("{}", n);
    if (n == 5) break;
  }
  println("fibers before the cancel: {}", num_fibers());
}  // cancel goes out of scope here: Go's defer cancel()

// As one note had it: cancel, but no break.
void wrong() {
  auto [ctx, cancel] = with_cancel(background());
  for (int n : gen(ctx)) {
    println("{}", n);
    if (n == 5) cancel();
  }
  println("never reached");
}

const lesson::page page{"X5",
                        "generator",
                        {{"wrong", "cancel without break: the channel is never closed", wrong},
                         {"right", "break, and the cancel ends the generator", right}}};

}  // namespace
