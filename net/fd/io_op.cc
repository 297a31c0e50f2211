#include "net/fd/io_op.h"

#include "sched/g.h"
#include "sched/ready.h"

namespace weft::detail {

void complete(io_op* op, std::int32_t res, ready_list& ready) {
  op->word.about_to_complete();
  G* g = op->g;
  const auto* around = static_cast<const std::byte*>(op->prefetch_around);
  const void* closure = op->prefetch_closure;
  op->res = res;
  if (!op->word.complete()) return;
  ready_into(ready, g);
  // It runs soon: what it left on its stack, and what it uses next, is prefetched.
  if (g->flags & plain_thread) return;
  const auto* left = static_cast<const std::byte*>(g->context.at.sp);
  for (std::size_t line = 0; line < 7; ++line) __builtin_prefetch(left + line * 64, 1);
  if (!around) return;
  __builtin_prefetch(closure);
  for (const std::size_t at : io_op::prefetched) __builtin_prefetch(around + at, 1);
}

void wait_until_done(io_op& op) {
  while (!op.word.done()) {
    park(
        wait_reason::io_wait,
        [](G* g, void* at) {
          if (!static_cast<io_op*>(at)->word.wait_after_cancel()) ready(g);
        },
        &op);
  }
}

}  // namespace weft::detail
