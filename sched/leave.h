// Leaving a fiber's stack for the next fiber, inline. A park that is a call has a frame below the
// caller's, and with a thousand waiting fibers each cache line of that frame is a miss. The code of
// net that runs for each request includes this; all other code calls park().
#pragma once
#include "sched/g.h"
#include "sched/no_suspend.h"
#include "sched/retake.h"
#include "sched/run_fiber.h"
#include "sched/take.h"
#include "sched/timeline.h"
#include "sched/world.h"

namespace weft::detail {

// Lies on the stack that is left, so it is read before that stack is released.
struct switch_message : switch_header {
  M* m;
  G* from_g;  // null: the M's own stack
  commit_fn commit;
  void* arg;
};

// Runs on the side that is switched to: completes the leaving of the other.
[[gnu::always_inline]] inline M* arrive(const switch_header* note) {
  const switch_message msg = *static_cast<const switch_message*>(note);
  if (msg.commit) msg.commit(msg.from_g, msg.arg);
  return msg.m;
}

// Returns the context that r runs on, prepared for the switch; m->g is it.
[[gnu::always_inline]] inline G* prepare_to_run(M* m, runnable* r) {
  P::count(m->p->switches);
  if (!r->started) return give_stack(m, static_cast<spawn_record*>(r));
  G* g = static_cast<G*>(r);
  if (g->state.load(std::memory_order_relaxed) != g_state::runnable) [[unlikely]]
    impossible("run", *g);
  g->state.store(g_state::running, std::memory_order_relaxed);
  m->g = g;
  return g;
}

// Leaves g for r, or for the M's own stack if r is null. Returns when g resumes.
[[gnu::always_inline]] inline void leave_for(M* m, G* g, runnable* r, commit_fn commit, void* arg) {
  switch_message msg{{}, m, g, commit, arg};
  stack_context* to = nullptr;
  if (r) {
    to = &prepare_to_run(m, r)->context;
  } else {
    timeline_leave(m);
    m->g = nullptr;
    to = &m->own_stack;
  }
  leave_runtime(arrive(jump(g->context, *to, m->exceptions, &msg)));
}

// True for a runnable that the fast path may switch to; others need the M's own stack.
inline bool can_switch_directly(const M* m, const runnable* r) {
  if (m->locked_g) return false;
  return !r->started || !(r->flags & (locked_to_m | abandoned));
}

// park() by the fiber that m runs.
[[gnu::always_inline]] inline void park_fiber(M* m, wait_reason reason, commit_fn commit, void* arg) {
  check_may_suspend(m, reason);
  enter_runtime(m);
  G* g = m->g;
  g->reason.store(reason, std::memory_order_relaxed);
  g->context.left_at.store(m->w->coarse_s.load(std::memory_order_relaxed), std::memory_order_relaxed);
  g->state.store(g_state::parked, std::memory_order_relaxed);
  runnable* r = nullptr;
  if (m->p && pick_next_fast(m, r) == fast_pick::got && !can_switch_directly(m, r)) [[unlikely]] {
    m->handed = r;
    r = nullptr;
  }
  leave_for(m, g, r, commit, arg);
}

}  // namespace weft::detail
