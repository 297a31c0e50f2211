// Chaos mode: schedules that are allowed but unlikely, to bring bugs of programs and of the runtime to light.
// In release builds too, since users need it there: WEFT_DEBUG=chaos.
//
// What a program may not count on happens often: the fiber made runnable last is not the next, the ring is
// taken out of order, a fiber goes on in another thread than it was parked in, even with one P; and the monitor takes
// Ps from under fibers that have done no wrong. Each P has an attention bit for it, so nothing is paid while it is off.
#include "sched/chaos.h"

#include "sched/world.h"

namespace weft::detail {
namespace {

bool another_m_could_be_had(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  return w.idle_ms > 0 || w.ms < w.opt.max_threads;
}

// Another M goes on with m's P, and m waits for what comes.
void change_threads(M* m) {
  world& w = *m->w;
  if (!m->spinning) w.spinning.fetch_add(1, std::memory_order_relaxed);
  m->spinning = false;
  start_m(w, let_go_of_p(m));
  idle_without_p(m);
}

}  // namespace

bool stir(M* m) {
  P* p = m->p;
  if (p->random.below(2) == 0)
    if (runnable* next = p->queue.take_next()) push_ring(m, next);
  for (std::uint32_t n = p->random.below(3); n > 0; --n)
    if (runnable* r = p->queue.pop()) push_ring(m, r);
  constexpr std::uint32_t seldom = 32;  // it costs some microseconds each time
  if (p->random.below(seldom) != 0 || !another_m_could_be_had(*m->w)) return false;
  change_threads(m);
  return true;
}

}  // namespace weft::detail
