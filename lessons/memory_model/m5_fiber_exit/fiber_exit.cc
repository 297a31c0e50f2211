// M5: the end of a fiber orders nothing by itself.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

void wrong() {
  static lesson::racy<const char*> a = "";
  go([] { a = "hello"; });
  println("a is '{}'", static_cast<const char*>(a));
}

void right() {
  std::string a;
  auto writer = async([&] { a = "hello"; });
  writer.get();  // the fiber's end happens before get() returns
  println("a is '{}'", a);
}

const lesson::page page{
    "M5", "fiber_exit", {{"wrong", "no one waits for the writer", wrong}, {"right", "get() waits for its end", right}}};

}  // namespace
