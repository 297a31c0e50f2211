// Chaos mode: schedules that are allowed but unlikely, to find bugs of programs and of the runtime.
// In release builds too, since users need it there: WEFT_DEBUG=chaos.
//
// Schedules that a program must not rely on happen often: the fiber made runnable last is not the
// next to run, the ring is emptied out of order, a fiber resumes in another thread than it was
// parked in, even with one P; and the monitor retakes Ps from fibers that neither block nor compute
// for long. Each P has an attention bit for it, so it costs nothing while it is off.
#include "sched/chaos.h"

#include "sched/idle.h"
#include "sched/invariants.h"
#include "sched/ready.h"
#include "sched/threads.h"
#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// Another M takes over m's P, and m waits for a P.
void change_threads(M* m) {
  world& w = *m->w;
  if (!m->spinning) w.spinning.fetch_add(1, std::memory_order_relaxed);
  m->spinning = false;
  start_m(w, detach_p(m), thread_need::optional);
  idle_without_p(m);
}

}  // namespace

bool chaos_shuffle(M* m) {
  P* p = m->p;
  check_p(*m, *p);
  if (p->random.below(2) == 0)
    if (runnable* next = p->queue.take_next()) push_ring(m, next);
  for (std::uint32_t n = p->random.below(3); n > 0; --n)
    if (runnable* r = p->queue.pop()) push_ring(m, r);
  if (p->random.below(8) == 0) {
    const std::lock_guard hold(m->w->lock);
    check_world_locked(*m->w);
  }
  constexpr std::uint32_t seldom = 32;  // it costs some microseconds each time
  if (p->random.below(seldom) != 0 || !m_available_approx(*m->w)) return false;
  change_threads(m);
  return true;
}

}  // namespace weft::detail
