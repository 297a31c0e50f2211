// Noting which fiber a P runs, while somebody watches.
#pragma once
#include "sched/world.h"

namespace weft::detail {

void timeline_mark_slow(M* m);
void timeline_close_slow(P* p);
// Begins noting what p runs. With world::resize held.
void timeline_watch(P& p);

// The M has just taken up, or is back from, a fiber. Costs a load and a branch when nobody watches.
inline void timeline_mark(M* m) {
  if (m->p && m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_mark_slow(m);
}

// p is taken from the fiber that ran on it, which goes on without.
inline void timeline_close(P* p) {
  if (p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_close_slow(p);
}

}  // namespace weft::detail
