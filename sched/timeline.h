// Recording which fiber a P runs, while a timeline is on.
#pragma once
#include "sched/world.h"

namespace weft::detail {

void timeline_enter_slow(M* m);
void timeline_leave_slow(M* m);
// p was retaken, at t, from the M that it was recorded for.
void timeline_close(P& p, time_point t);
// Begins recording the fibers of p. With world::resize held.
void timeline_watch(P& p);
// m has found that its P is gone, and computes no more until it has another. With world::retaking
// held.
void timeline_without_p_ends(M* m);

// The M has prepared its fiber, which will run next. Costs a load and a branch without recording.
inline void timeline_enter(M* m) {
  if (m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_enter_slow(m);
}

// The M's fiber is about to leave it, or its P. Before any step that lets the fiber continue
// elsewhere.
inline void timeline_leave(M* m) {
  if (m->p && m->p->timeline.load(std::memory_order_relaxed)) [[unlikely]]
    timeline_leave_slow(m);
}

}  // namespace weft::detail
