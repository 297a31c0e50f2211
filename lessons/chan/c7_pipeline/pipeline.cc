// C7: stages that receive from the one before and send to the one behind.
#include <initializer_list>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

recv_chan<int> gen(std::initializer_list<int> numbers) {
  auto out = make_chan<int>();
  go({.name = "gen"}, [=, numbers = std::vector(numbers)] {
    for (int n : numbers) out.send(n);
    out.close();
  });
  return out;
}

recv_chan<int> sq(recv_chan<int> in) {
  auto out = make_chan<int>();
  go({.name = "sq"}, [=] {
    for (int n : in) out.send(n * n);
    out.close();
  });
  return out;
}

void once() {
  for (int n : sq(gen({2, 3}))) println("{}", n);
}
void twice() {
  for (int n : sq(sq(gen({2, 3})))) println("{}", n);
}

const lesson::page page{"C7", "pipeline", {{"once", "squares", once}, {"twice", "squares of squares", twice}}};

}  // namespace
