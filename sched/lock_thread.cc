// Fibers that are locked to one OS thread, and the thread of such a fiber.
//
// The M of a locked fiber runs nothing else. When the fiber parks, the M releases its P and sleeps.
// The M that finds the fiber runnable hands its own P to the fiber's M and searches for another P.
#include "sched/lock_thread.h"

#include "sched/blocking.h"
#include "sched/current.h"
#include "sched/deadlock.h"
#include "sched/g.h"
#include "sched/idle.h"
#include "sched/simulated.h"
#include "sched/threads.h"
#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {

bool unlock_main(G* g) noexcept {
  if (g->thread_locks > 0) return false;
  clear_flag(*g, locked_to_m);
  g->locked_m = nullptr;
  return true;
}

void hand_to_locked_m(M* m, G* g) {
  {
    // When the world stops `to` ends, and may have ended already. It exists for certain only while
    // this lock is held and the world does not stop, until it has been woken.
    const std::lock_guard hold(m->w->lock);
    if (m->w->stopping.load(std::memory_order_relaxed)) return;
    M* to = g->locked_m;
    to->sent_g = g;
    to->sent_p = detach_p(m);
    // From here on `to` counts as busy, though it still sleeps: otherwise m, when it becomes idle,
    // could find every M asleep. `to` itself may not have counted itself yet; then the count is
    // short by one for a moment.
    --m->w->locked_ms;
    wake_m(to);
  }
  idle_without_p(m);
}

runnable* wait_for_locked_g(M* m) {
  world& w = *m->w;
  if (m->spinning) {
    m->spinning = false;
    one_less_spins(w);  // [wake-up] T1
  }
  if (m->is_first && !m->keeps_main) {
    m->locked_g = nullptr;  // the M that takes the main fiber unlocks it
    return nullptr;
  }
  P* p = detach_p(m);
  // The world's mark for Ms that are neither idle nor active. From here on g may be sent.
  bool stopped = false;
  {
    const std::lock_guard hold(w.lock);
    m->waits_for_locked_g = true;
    ++w.locked_ms;
    stopped = w.stopping.load(std::memory_order_relaxed);  // [stop] else wake_everybody() will see the mark
  }
  if (p) hand_off_p(w, p);
  // Only a note shows that a fiber was sent, and every note must be taken.
  if (!stopped)
    while (!sleep_m(m, verdict_if_all_asleep(w) == asleep::perhaps ? now_ns() + recheck_ns : never)) {
    }
  G* g = m->sent_g;
  {
    const std::lock_guard hold(w.lock);
    m->waits_for_locked_g = false;
    if (!g) --w.locked_ms;
  }
  if (!g) return nullptr;
  acquire_p(m, m->sent_p);
  m->sent_g = nullptr;
  m->sent_p = nullptr;
  return g;
}

}  // namespace weft::detail

namespace weft {

void lock_os_thread() {
  using namespace detail;
  M* m = this_m();
  if (!m && sim_self()) {  // all run in one thread
    ++sim_self()->thread_locks;
    return;
  }
  if (!m || !m->g) throw panic("lock_os_thread: called outside a fiber");
  start_template_thread();
  G* g = m->g;
  ++g->thread_locks;
  set_flag(*g, locked_to_m);
  g->locked_m = m;
  m->locked_g = g;
  m->keeps_main = m->is_first;
}

void unlock_os_thread() {
  using namespace detail;
  M* m = this_m();
  if (G* simulated = m ? nullptr : sim_self()) {
    if (simulated->thread_locks > 0) --simulated->thread_locks;
    return;
  }
  if (!m || !m->g) throw panic("unlock_os_thread: called outside a fiber");
  G* g = m->g;
  if (g->thread_locks == 0 || --g->thread_locks > 0) return;
  if (m->is_first) {  // as at its begin: it leaves this thread when it waits
    m->keeps_main = false;
    return;
  }
  clear_flag(*g, locked_to_m);
  g->locked_m = nullptr;
  m->locked_g = nullptr;
}

}  // namespace weft
