// M10: f of once.call(f) has ended before any call returns.
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void right() {
  std::string a;
  once setup_once;
  std::atomic<int> setups = 0;
  const auto setup = [&] {
    sleep(lesson::scaled(20ms));  // the other one is there before this is done, and waits
    a = "hello, world";
    setups.fetch_add(1);
  };
  wait_group both;
  for (int i = 0; i < 2; ++i)
    both.go([&] {
      setup_once.call(setup);
      println("{}", a);
    });
  both.wait();
  println("setup ran {} time", setups.load());
}

const lesson::page page{"M10", "once", {{"right", "the second one waits for the first one's setup", right}}};

}  // namespace
