#include "net/poller/io_op.h"

#include "sched/g.h"
#include "sched/spawn_into.h"

namespace weft::detail {

void complete(io_op* op, std::int32_t res, ready_list& ready) {
  using progress = io_op::progress;
  (void)op->state.load(std::memory_order_acquire);  // [op]
  G* g = op->g;
  const auto* around = static_cast<const std::byte*>(op->around);
  op->res = res;
  const bool won = op->word.claim(io_op::by_completion);
  const progress found = op->state.exchange(progress::done, std::memory_order_acq_rel);  // [op] the last touch
  if (found != progress::canceled && !(found == progress::waited_for && won)) return;
  ready_into(ready, g);
  // It runs soon: what it left on its stack, and what it goes on with, is asked for now.
  if (g->flags & plain_thread) return;
  const auto* left = static_cast<const std::byte*>(g->context.at.sp);
  for (std::size_t line = 0; line < 5; ++line) __builtin_prefetch(left + line * 64, 1);
  if (!around) return;
  for (const std::size_t at : io_op::asked_for) __builtin_prefetch(around + at, 1);
}

void wait_until_done(io_op& op) {
  using progress = io_op::progress;
  while (!op.done()) {
    park(
        wait_reason::io_wait,
        [](G* g, void* at) {
          auto* o = static_cast<io_op*>(at);
          progress found = o->state.load(std::memory_order_acquire);  // [op]
          while (found != progress::done)
            // [op] from here on the completion may run the fiber
            if (o->state.compare_exchange_weak(found, progress::canceled, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
              return;
          ready(g);
        },
        &op);
  }
}

}  // namespace weft::detail
