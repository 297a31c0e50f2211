// M4: what was written before go() is seen by the fiber that it starts.
#include "lessons/support/page.h"

namespace {

using namespace weft;

void right() {
  std::string a;
  wait_group started;
  a = "hello, world";
  started.go([&] { lesson::println("{}", a); });
  started.wait();
}

const lesson::page page{"M4", "go_statement", {{"right", "starting a fiber orders", right}}};

}  // namespace
