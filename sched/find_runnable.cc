// What runs next: the order of the attempts is the policy.
#include "sched/find_runnable.h"

#include "sched/chaos.h"
#include "sched/coarse_clock.h"
#include "sched/g.h"
#include "sched/idle.h"
#include "sched/lock_thread.h"
#include "sched/maxprocs.h"
#include "sched/ready.h"
#include "sched/run_fiber.h"
#include "sched/steal.h"
#include "sched/take.h"
#include "sched/wake.h"
#include "sched/world.h"

#include <algorithm>

namespace weft::detail {
namespace {

// Fires this P's due timers. Reads a clock, and only while the P has timers.
void run_own_timers(M* m) {
  P* p = m->p;
  if (p->timers.earliest() == never) return;
  p->clock_read_at = ticks();
  const std::int64_t now = now_ns();
  ready_list due;
  set_coarse_clock(*m->w, now);
  p->timers.run_due(now, due);
  push_batch(m, due, now);
}

// In one turn of 61 the global queue comes first. Otherwise two fibers that keep each other
// runnable here would starve it. 61 is prime and small.
runnable* take_global_for_fairness(M* m) {
  if (m->p->turn.load(std::memory_order_relaxed) % fair_turn != 0) return nullptr;
  return take_global(m, 1);
}

// Takes the fibers that are ready, without waiting. Returns false if no fiber waits for a
// descriptor.
bool poll(M* m, ready_list& ready) {
  world& w = *m->w;
  poller* net = w.poller_or_null();
  if (!net || !net->has_waiters()) return false;
  net->poll(*m->p, ready);
  if (w.stopping.load(std::memory_order_relaxed)) [[unlikely]]
    pass_on(ready);
  return true;
}

void polled(M* m) {
  P* p = m->p;
  p->polled_at = p->turn.load(std::memory_order_relaxed);
  p->ahead_then = p->queue.ring_size_approx() + m->w->global_size.load(std::memory_order_relaxed);
}

// In the same turn, fibers that wait for a descriptor get a chance, or busy fibers would keep them
// waiting. But not before all fibers that were queued after the last poll have had their turn:
// otherwise a thousand connections that are served in one batch drop out of the cache between the
// steps of each.
void poll_for_fairness(M* m) {
  const std::uint32_t turn = m->p->turn.load(std::memory_order_relaxed);
  if (turn % fair_turn != 0 || turn - m->p->polled_at < m->p->ahead_then) return;
  ready_list ready;
  if (!poll(m, ready)) return;
  push_polled(m, ready);
  polled(m);
}

runnable* poll_now(M* m) {
  ready_list ready;
  if (!poll(m, ready)) return nullptr;
  runnable* first = ready.pop();
  push_polled(m, ready);
  polled(m);
  return first;
}

// At most half of the busy Ps may spin: more use CPU and find nothing.
bool may_spin(const M* m) {
  const world& w = *m->w;
  if (m->spinning) return true;
  const int busy = w.procs.load(std::memory_order_relaxed) - w.idle_ps.load(std::memory_order_relaxed);
  return 2 * w.spinning.load(std::memory_order_relaxed) < busy;
}

runnable* steal_while_spinning(M* m) {
  world& w = *m->w;
  if (w.ps_to_look_at() == 1 || !may_spin(m)) return nullptr;
  if (!m->spinning) {
    m->spinning = true;
    w.spinning.fetch_add(1, std::memory_order_relaxed);
  }
  constexpr int passes = 4;
  for (int pass = 0; pass < passes; ++pass) {
    const steal_effort effort = pass == passes - 1 ? steal_effort::last_resort : steal_effort::rings;
    if (runnable* r = steal_work(m, effort)) return r;
    if (w.stopping.load(std::memory_order_relaxed)) return nullptr;
  }
  return nullptr;
}

}  // namespace

// A P takes its share of the global queue, but not less than one part in 16: otherwise many Ps
// would take the lock for a fiber or two each. One that finds the queue empty steals from a ring.
constexpr std::size_t parts_most = 16;

runnable* take_global(M* m, std::size_t most) {
  world& w = *m->w;
  if (w.global_size.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard hold(w.lock);
  const std::size_t size = w.global.size();
  const std::size_t parts = std::min(static_cast<std::size_t>(w.procs.load(std::memory_order_relaxed)), parts_most);
  const std::size_t share = size / parts + 1;
  std::size_t n = most < share ? most : share;
  runnable* first = w.global.pop();
  while (n-- > 1) {
    runnable* r = w.global.pop();
    if (!r) break;
    if (!m->p->queue.push(r)) {  // only if `most` is more than an empty ring holds
      w.global.push(r);
      break;
    }
  }
  w.global_size.store(w.global.size(), std::memory_order_relaxed);
  return first;
}

runnable* find_runnable(M* m) {
  for (;;) {
    world& w = *m->w;
    if (w.stopping.load(std::memory_order_relaxed)) return nullptr;
    if (m->locked_g) return wait_for_locked_g(m);
    if (!m->p) idle_without_p(m);  // its fiber has returned from a blocking call and is queued
    if (!m->p) return nullptr;
    if (retire_if_asked(m)) continue;
    if ((m->p->attention.load(std::memory_order_relaxed) & shuffle_queue) && chaos_shuffle(m)) continue;
    run_own_timers(m);
    poll_for_fairness(m);
    if (runnable* r = take_global_for_fairness(m)) return r;
    if (runnable* r = take_local(m->p)) return r;
    if (runnable* r = take_global(m, run_queue::capacity / 2)) return r;
    if (m->batch_began) end_batch(m);
    if (runnable* r = poll_now(m)) return r;
    if (runnable* r = steal_while_spinning(m)) return r;
    idle(m);
    if (!m->p) return nullptr;
  }
}

void schedule(M* m) {
  while (!m->ends) {
    runnable* r = m->handed ? m->handed : find_runnable(m);
    m->handed = nullptr;
    if (!r) return;
    if (m->spinning) stop_spinning_with_work(m);
    else if (m->left_timer) leave_timers_with_work(m);
    if (m->locked_g && r != static_cast<runnable*>(m->locked_g)) {
      // Found on the fast path of the fiber that m is locked to. For the main fiber's first leave
      // (run.cc) it stays where it was: the next one on this P.
      if (m->is_first && !m->keeps_main && m->p) push_next(m, r);
      else push_global(*m->w, r);
      continue;
    }
    if (r->started) {
      G* g = static_cast<G*>(r);
      if (g->flags & abandoned) continue;
      if ((g->flags & locked_to_m) && g->locked_m != m && !unlock_main(g)) {
        hand_to_locked_m(m, g);
        if (!m->p) return;
        continue;
      }
    }
    execute(m, r);
    if (m->w->stopping.load(std::memory_order_relaxed)) return;
  }
}

}  // namespace weft::detail
