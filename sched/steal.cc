// Taking work from another P.
//
// A victim's `next` slot is not stolen at first: its fiber is likely to park and run it within a
// hundred nanoseconds. A thief that finds nothing else waits some microseconds and takes it only if
// the victim has not switched fibers in that time. If the victim has switched, the two fibers wake
// each other and stay where they are.
#include "sched/steal.h"

#include "sched/idle.h"
#include "sched/steal_order.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

constexpr int patience = 100;  // pauses: about 3 us

runnable* steal_next_of(P& victim) {
  runnable* seen = victim.queue.peek_next();
  if (!seen) return nullptr;
  const std::uint32_t turn = victim.turn.load(std::memory_order_relaxed);
  for (int i = 0; i < patience; ++i) {
    cpu_relax();
    if (victim.turn.load(std::memory_order_relaxed) != turn) return nullptr;
  }
  return victim.queue.steal_next(seen) ? seen : nullptr;
}

runnable* steal_timers_of(M* m, P& victim) {
  if (victim.timers.earliest() == never) return nullptr;
  const std::int64_t now = now_ns();
  ready_list due;
  victim.timers.run_due(now, due);
  runnable* first = due.pop();
  push_batch(m, due, now);
  return first;
}

}  // namespace

runnable* steal_work(M* m, steal_effort effort) {
  world& w = *m->w;
  P* p = m->p;
  const auto made = static_cast<std::uint32_t>(w.ps_to_look_at());
  for (steal_order order(made, p->random.next()); !order.done(); order.next()) {
    P* victim = w.p_at(static_cast<int>(order.position()));
    if (victim == p) continue;
    if (effort == steal_effort::last_resort)
      if (runnable* r = steal_timers_of(m, *victim)) return r;
    if (victim->idle.load(std::memory_order_relaxed)) continue;
    std::uint32_t taken = 0;
    runnable* r = victim->queue.steal_half(p->queue, taken);
    if (!r && effort == steal_effort::last_resort && (r = steal_next_of(*victim))) taken = 1;
    if (!r) continue;
    P::count(p->steals);
    P::count(p->stolen, taken);
    return r;
  }
  return nullptr;
}

bool any_work_approx(const world& w, const P* but) noexcept {
  if (w.global_size.load(std::memory_order_relaxed) > 0) return true;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w.p_at(i) != but && w.p_at(i)->queue.ring_size_approx() > 0) return true;
  return false;
}

}  // namespace weft::detail
