// M11: looking at a flag before taking the trouble of once.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

void two_printers(auto print) {
  wait_group both;
  for (int i = 0; i < 2; ++i) both.go(print);
  both.wait();
}

// The compiler, or the CPU, may do the flag's store first. Here it stands first, so that one sees
// what then happens.
void wrong() {
  static lesson::racy<const char*> a = "";
  static lesson::racy<bool> done = false;
  static once setup_once;
  two_printers([] {
    if (!done)
      setup_once.call([] {
        done = true;
        yield();
        a = "hello, world";
      });
    println("'{}'", static_cast<const char*>(a));
  });
}

// once does the same quick look itself, with an acquire that belongs to its release.
void right() {
  static std::string a;
  static once setup_once;
  two_printers([] {
    setup_once.call([] {
      yield();
      a = "hello, world";
    });
    println("'{}'", a);
  });
}

const lesson::page page{"M11",
                        "double_check",
                        {{"wrong", "a flag of one's own: seen before the setup is done", wrong},
                         {"right", "once, and nothing else", right}}};

}  // namespace
