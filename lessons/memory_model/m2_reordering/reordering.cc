// M2: the compiler moves a store out of a loop, as it may. Who else is there to notice?
#include <string>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int rounds = 100;

// What the author wrote. The yield gives the other fiber a chance on one P too.
std::string as_written(lesson::racy<int>& x) {
  std::string line;
  for (int i = 0; i < rounds; ++i) {
    x = 1;
    yield();
    line += x == 1 ? '1' : '0';
  }
  return line;
}

// What the compiler may make of it: the same output, as long as no other fiber writes x.
std::string as_compiled(lesson::racy<int>& x) {
  std::string line;
  x = 1;
  for (int i = 0; i < rounds; ++i) {
    yield();
    line += x == 1 ? '1' : '0';
  }
  return line;
}

void alone() {
  lesson::racy<int> a = 0, b = 0;
  println("as written:  {}", as_written(a));
  println("as compiled: {}", as_compiled(b));
}

void with_another(std::string (*print)(lesson::racy<int>&), const char* what) {
  lesson::racy<int> x = 0;
  wait_group other;
  other.go([&] {
    for (int i = 0; i < 5; ++i) yield();
    x = 0;
  });
  const std::string line = print(x);
  other.wait();
  const std::size_t zeros = static_cast<std::size_t>(std::count(line.begin(), line.end(), '0'));
  const bool for_good = zeros > 0 && line.find('1', line.find('0')) == line.npos;
  println("{}: {}", what, line);
  println("{}", zeros == 0              ? "no 0 seen"
                : for_good && zeros > 1 ? "0 from then on"
                                        : fmt::format("{} isolated 0", zeros));
}

void wrong() {
  with_another(as_written, "as written ");
  with_another(as_compiled, "as compiled");
}

const lesson::page page{
    "M2",
    "reordering",
    {{"alone", "one fiber: the difference is not visible", alone}, {"wrong", "another fiber writes 0 once", wrong}}};

}  // namespace
