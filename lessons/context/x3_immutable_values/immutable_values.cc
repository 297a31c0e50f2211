// X3: a value in a context is shared by all, so it is never changed.
#include <fmt/ranges.h>

#include <map>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

struct metadata {
  using type = std::map<std::string, std::string>;
};

// A fiber that needs one entry more makes a map and a context of its own.
void right() {
  const context ctx1 = with_value<metadata>(background(), std::map<std::string, std::string>{{"k1", "v1"}});
  std::string first, second;
  wait_group both;
  both.go([&] { first = fmt::format("{}", *ctx1.value<metadata>()); });
  both.go([&] {
    metadata::type copy = *ctx1.value<metadata>();
    copy["k2"] = "v2";
    const context ctx2 = with_value<metadata>(ctx1, copy);
    second = fmt::format("{}", *ctx2.value<metadata>());
  });
  both.wait();
  println("ctx1: {}", first);
  println("ctx2: {}", second);
}

// The value can be reached, so it can be changed, and the other fiber sees it in the middle of its
// request.
struct shared_entry {
  using type = lesson::racy<int>*;
};
void wrong() {
  static lesson::racy<int> limit = 1;
  limit = 1;
  const context ctx = with_value<shared_entry>(background(), &limit);
  wait_group both;
  both.go([&] { **ctx.value<shared_entry>() = 2; });
  both.go([&] {
    const int at_first = **ctx.value<shared_entry>();
    yield();
    const int later = **ctx.value<shared_entry>();
    println("the same request saw {} and {}", at_first, later);
  });
  both.wait();
}

const lesson::page page{"X3",
                        "immutable_values",
                        {{"wrong", "a value that is changed where it lies", wrong},
                         {"right", "copy, change the copy, derive a context", right}}};

}  // namespace
