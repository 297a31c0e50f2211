// M9: the n-th unlock comes before the (n+1)-th lock, in whatever fiber.
#include "lessons/support/page.h"

namespace {

using namespace weft;

void right() {
  mutex l;
  std::string a;
  l.lock();
  go([&] {
    a = "hello, world";
    l.unlock();  // what the main fiber has locked
  });
  l.lock();
  lesson::println("{}", a);
  l.unlock();
}

const lesson::page page{"M9", "mutex", {{"right", "the second lock waits for the unlock", right}}};

}  // namespace
