// C12: of several ready cases a select takes any one, each as likely.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int rounds = 3000;

chan<int> full() {
  auto c = make_chan<int>(rounds);
  for (int i = 0; i < rounds; ++i) c.send(i);
  return c;
}

void uniform() {
  const auto a = full(), b = full(), c = full();
  int count[3] = {};
  for (int i = 0; i < rounds; ++i) ++count[select(recv(a), recv(b), recv(c))];
  println("of {}: a {}, b {}, c {}", rounds, count[0], count[1], count[2]);
}

// Priority by writing a case several times.
void seven_fold() {
  const auto a = full(), b = full(), c = full();
  int count[3] = {};
  for (int i = 0; i < rounds; ++i) {
    const int chosen = select(recv(a), recv(a), recv(a), recv(a), recv(a), recv(a), recv(a), recv(b), recv(c));
    ++count[chosen < 7 ? 0 : chosen - 6];
  }
  println("of {}: a {}, b {}, c {}", rounds, count[0], count[1], count[2]);
}

void none_ready() {
  const auto empty = make_chan<int>();
  println("{}", select(recv(empty), otherwise) == 1 ? "nothing was ready" : "received");
}

const lesson::page page{"C12",
                        "select_order",
                        {{"uniform", "three ready channels", uniform},
                         {"seven-fold", "one of them written seven times", seven_fold},
                         {"none-ready", "otherwise", none_ready}}};

}  // namespace
