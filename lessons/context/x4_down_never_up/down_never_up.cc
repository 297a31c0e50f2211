// X4: a cancel goes down the tree, never up and never to the side.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

std::string state(const context& ctx) { return ctx.err() ? ctx.err().message() : "nil"; }

// a has b and f; b has d and e.
void tree() {
  const auto [a, cancel_a] = with_cancel(background());
  const auto [b, cancel_b] = with_cancel(a);
  const auto [d, cancel_d] = with_cancel(b);
  const auto [e, cancel_e] = with_cancel(b);
  const auto [f, cancel_f] = with_cancel(a);
  cancel_b();
  println("a: {}", state(a));
  println("b: {}, d: {}, e: {}", state(b), state(d), state(e));
  println("f: {}", state(f));
}

void deadlines() {
  const auto [parent, cancel] = with_timeout(background(), 1s);
  const auto [child, cancel_child] = with_timeout(parent, 1h);
  println("the child's deadline is {}", *child.deadline() == *parent.deadline() ? "its parent's" : "its own");
  const auto [earlier, cancel_earlier] = with_timeout(parent, 1ms);
  println("an earlier one is {}", *earlier.deadline() < *parent.deadline() ? "its own" : "its parent's");
}

void born() {
  const auto [parent, cancel] = with_cancel_cause(background());
  cancel("closing time");
  const auto [child, cancel_child] = with_timeout(parent, 1h);
  println("born: {}, because of {}", state(child), child.cause());
  println("without_cancel: {}", state(without_cancel(parent)));
}

const lesson::page page{"X4",
                        "down_never_up",
                        {{"tree", "the middle of a tree is cancelled", tree},
                         {"deadlines", "a child has no more time than its parent", deadlines},
                         {"born", "a child of a cancelled context", born}}};

}  // namespace
