// X2: values of a context are a linked list.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// In weft a key is a type, so two packages cannot choose the same one by accident, and a value has
// the type that its key says.
struct language {
  using type = std::string;
};
struct color {
  using type = std::string;
};
struct trace_id {
  using type = int;
};
struct trace_id_of_another_package {
  using type = int;
};

void find_language(const context& ctx) {
  if (const std::string* v = ctx.value<language>()) println("found value: {}", *v);
  else println("key not found: language");
}

void lookup() {
  const context ctx = with_value<language>(background(), "Go");
  find_language(ctx);
  if (!ctx.value<color>()) println("key not found: color");
  println("background has {}", background().value<language>() ? "values" : "no values");
}

void depth() {
  context ctx = with_value<language>(background(), "Go");
  for (int i = 0; i < 10; ++i) ctx = with_value<trace_id>(ctx, i);
  const auto [inner, cancel] = with_cancel(ctx);
  find_language(inner);
  println("the nearest trace id: {}", *inner.value<trace_id>());
  find_language(with_value<language>(inner, "C++"));
}

void types() {
  const context ctx = with_value<trace_id>(background(), 0);
  println("TraceID {}", ctx.value<trace_id>() ? "Found" : "Not Found");
  println("TraceID {}", ctx.value<trace_id_of_another_package>() ? "Found" : "Not Found");
}

const lesson::page page{"X2",
                        "values",
                        {{"lookup", "found, and not found", lookup},
                         {"depth", "from the inside out, and the nearest wins", depth},
                         {"types", "a key is a type", types}}};

}  // namespace
