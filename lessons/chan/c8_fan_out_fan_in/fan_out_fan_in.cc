// C8: several fibers receive from one channel, and one channel receives from several.
#include <initializer_list>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

recv_chan<int> gen(std::initializer_list<int> numbers) {
  auto out = make_chan<int>();
  go([=, numbers = std::vector(numbers)] {
    for (int n : numbers) out.send(n);
    out.close();
  });
  return out;
}

recv_chan<int> sq(recv_chan<int> in) {
  auto out = make_chan<int>();
  go([=] {
    for (int n : in) out.send(n * n);
    out.close();
  });
  return out;
}

recv_chan<int> merge(const std::vector<recv_chan<int>>& inputs) {
  auto out = make_chan<int>();
  auto wg = std::make_shared<wait_group>();
  for (const auto& in : inputs)
    wg->go([=] {
      for (int n : in) out.send(n);
    });
  go([=] {  // closes once all have sent
    wg->wait();
    out.close();
  });
  return out;
}

void right() {
  const auto in = gen({2, 3});
  const auto first = sq(in), second = sq(in);  // both receive from the same channel
  for (int n : merge({first, second})) println("{}", n);
}

const lesson::page page{"C8", "fan_out_fan_in", {{"right", "two squarers behind one source", right}}};

}  // namespace
