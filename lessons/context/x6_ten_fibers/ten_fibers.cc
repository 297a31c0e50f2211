// X6: ten fibers, one cancel.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

struct user_id {
  using type = int;
};

void right() {
  auto [ctx, cancel] = with_cancel(background());
  wait_group all;
  for (int id = 0; id < 10; ++id)
    all.go([ctx = with_value<user_id>(ctx, id)] {
      ctx.done().recv();
      println("Cancelled: {}", *ctx.value<user_id>());
    });
  cancel();
  all.wait();
}

const lesson::page page{"X6", "ten_fibers", {{"right", "each with a value of its own", right}}};

}  // namespace
