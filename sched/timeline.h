// Noting which fiber a P runs, while somebody watches.
#pragma once
#include "sched/world.h"

namespace weft::detail {

void timeline_mark_slow(M* m);

// The M has just taken up, or is back from, a fiber. Costs a load and a branch when nobody watches.
inline void timeline_mark(M* m) {
  if (m->p && m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]] timeline_mark_slow(m);
}

}  // namespace weft::detail
