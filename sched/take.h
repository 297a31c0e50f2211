// Taking work that needs no search: from the local queue, and in one turn of 61 from the global
// one.
#pragma once
#include "sched/find_runnable.h"
#include "sched/ticks.h"
#include "sched/world.h"

namespace weft::detail {

inline constexpr std::uint32_t fair_turn = 61;

// The local queue: `next` first, then the ring.
//
// A fiber from `next` continues the time slice of the fiber that made it runnable. Otherwise a pair
// that passes a token to and fro would renew its slice without end and starve the ring behind it.
// When the slice ends, `next` goes to the ring's end. The counter is read every eighth time only,
// and only while a fiber waits in the ring.
[[gnu::always_inline]] inline runnable* take_local(P* p) noexcept {
  run_queue& q = p->queue;
  runnable* r = q.take_next();
  if (!r) {
    p->inherited = 0;
    return q.pop();
  }
  if (q.ring_size_approx() == 0) {
    p->inherited = 0;
    return r;
  }
  if (p->inherited++ % 8 != 0) return r;
  const std::uint64_t t = ticks();
  if (p->inherited == 1) {
    p->slice_began = t;
    return r;
  }
  if (t - p->slice_began < slice_ticks()) return r;
  p->inherited = 0;
  runnable* waiting = q.pop();
  if (!waiting) return r;
  q.push(r);  // there is room: one was taken just before
  return waiting;
}

// The runnable that a leaving fiber may switch to immediately, without the M's own stack.
enum class fast_pick { got, nothing, need_schedule };
[[gnu::always_inline]] inline fast_pick pick_next_fast(M* m, runnable*& r) noexcept {
  P* p = m->p;
  const std::uint32_t turn = p->turn.load(std::memory_order_relaxed) + 1;
  p->turn.store(turn, std::memory_order_relaxed);  // first: the slow path needs it for fairness
  if (p->attention.load(std::memory_order_relaxed)) [[unlikely]]
    return fast_pick::need_schedule;
  if (turn % fair_turn == 0) [[unlikely]] {
    if (m->w->net.load(std::memory_order_relaxed)) return fast_pick::need_schedule;
    if ((r = take_global(m, 1))) return fast_pick::got;
  }
  if (p->timers.earliest() != never && ticks() - p->clock_read_at > timer_ticks()) return fast_pick::need_schedule;
  r = take_local(p);
  return r ? fast_pick::got : fast_pick::nothing;
}

}  // namespace weft::detail
