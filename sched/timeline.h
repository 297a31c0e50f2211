// Noting which fiber a P runs, while somebody watches.
#pragma once
#include "sched/world.h"

namespace weft::detail {

void timeline_enter_slow(M* m);
void timeline_leave_slow(M* m);
// p has been taken, at t, from under the M that it was noted for.
void timeline_close(P& p, time_point t);
// Begins noting what p runs. With world::resize held.
void timeline_watch(P& p);

// The M has just taken up its fiber, which will run next. Costs a load and a branch when nobody watches.
inline void timeline_enter(M* m) {
  if (m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_enter_slow(m);
}

// The M's fiber is about to leave it, or its P. Before anything that lets the fiber go on elsewhere.
inline void timeline_leave(M* m) {
  if (m->p && m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_leave_slow(m);
}

}  // namespace weft::detail
