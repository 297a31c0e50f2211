// S13: three calls at the same time, and one fails.
#include <fmt/ranges.h>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

using ids = std::vector<int>;

// Go's call returns an error with a text. Here it throws, and wait() rethrows.
struct failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void right() {
  auto [group, ctx] = errgroup::with_context(background());
  ids a, b, c;
  group.go([&] { a = ids{0}; });  // ads
  group.go([&] {                  // AI
    b = ids{1};
    throw failed("ai");
  });
  group.go([&] { c = ids{2}; });  // operations
  std::string err;
  try {
    (void)group.wait();
  } catch (const failed& e) {
    err = e.what();
  }
  println("{} {} {}", a, b, c);
  println("{}", err);
  println("{}", ctx.err().message());
}

// By hand: a channel of results, which the program forgot to make. So the receive blocks, and all
// sends block.
void wrong() {
  chan<ids> results;
  for (const int i : {0, 1, 2}) go([=] { results.send(ids{i}); });
  println("waiting for one of three results");
  println("{}", *results.recv());
}

const lesson::page page{"S13",
                        "errgroup",
                        {{"wrong", "fibers and a result channel by hand", wrong},
                         {"right", "a group: one wait, the first error, one context", right}}};

}  // namespace
