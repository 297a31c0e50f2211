// Changing the number of Ps while the world runs, without stopping it.
//
// A P stays in its slot once it is made, so thieves and dumps may read it at any time. Growing puts
// Ps into the idle list and wakes Ms for the queued fibers. Shrinking takes idle Ps out
// immediately. The holders of the other Ps release them at their next switch: a fiber that computes
// keeps its P until it calls weft. Refused: stopping the world, which waits for the slowest fiber.
//
// Note [procs]: a P is complete before its slot is stored, and its slot before the number of Ps
// made that covers it; readers acquire that number and the slot.
#include "sched/maxprocs.h"

#include <fmt/format.h>

#include "runtime/cpu_count.h"
#include "sched/cpu_limit.h"
#include "sched/current.h"
#include "sched/g.h"
#include "sched/idle.h"
#include "sched/ready.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/take.h"
#include "sched/timeline.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

// Takes an idle P out of the list.
void unlist_locked(world& w, P* p) noexcept {
  for (P** at = &w.idle_p_list; *at; at = &(*at)->next_idle)
    if (*at == p) {
      *at = p->next_idle;
      w.idle_ps.store(w.idle_ps.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
      break;
    }
  p->idle.store(false, std::memory_order_relaxed);
  p->retired = true;
}

// Moves everything that p holds to where other Ms find it.
void empty(world& w, P* p) {
  ready_list all;
  if (runnable* r = p->queue.take_next()) all.push(r);
  while (runnable* r = p->queue.pop()) all.push(r);
  const std::int64_t due = p->timers.earliest();
  p->timers.move_to(w.p_at(0)->timers);
  if (due != never) timer_came_first(w, due);  // P 0 may be idle, and no M sleep for it
  p->gs.give_back_all();
  p->records.give_back_all();
  push_global_list(w, all);
}

void grow(world& w, int from, int to) {
  if (from == 1) {
    // This M holds the only P: from here on there are others.
    M* m = this_m();  // inside the runtime, with the P
    w.ever_shared.store(true, std::memory_order_relaxed);
    m->solo.store(false, std::memory_order_relaxed);
    m->p->queue.set_alone(false);
  }
  for (int i = from; i < to; ++i) {
    auto& slot = w.ps[static_cast<std::size_t>(i)];
    P* p = slot.load(std::memory_order_relaxed);
    if (!p) {
      p = make_p(w, i);
      if (w.recording) timeline_watch(*p);
      slot.store(p, std::memory_order_release);  // [procs]
    }
  }
  if (to > w.ps_made.load(std::memory_order_relaxed)) w.ps_made.store(to, std::memory_order_release);  // [procs]
  const std::lock_guard hold(w.lock);
  for (int i = from; i < to; ++i) {
    P* p = w.p_at(i);
    const bool still_held = (p->attention.load(std::memory_order_relaxed) & retire_p) && !p->retired;
    p->attention.fetch_and(~static_cast<std::uint32_t>(retire_p), std::memory_order_relaxed);
    p->retired = false;
    if (!still_held) push_idle_p_locked(w, p);
  }
  w.procs.store(to, std::memory_order_release);  // [procs]
}

void shrink(world& w, int from, int to) {
  std::vector<P*> to_empty;
  {
    const std::lock_guard hold(w.lock);
    w.procs.store(to, std::memory_order_release);  // [procs]
    for (int i = to; i < from; ++i) {
      P* p = w.p_at(i);
      const bool was_idle = p->idle.load(std::memory_order_relaxed);
      p->attention.fetch_or(retire_p, std::memory_order_relaxed);
      if (!was_idle) continue;
      unlist_locked(w, p);
      to_empty.push_back(p);
    }
  }
  for (P* p : to_empty) empty(w, p);
}

int set_procs(world& w, int n) {
  const std::lock_guard hold(w.resize);
  const int before = w.procs.load(std::memory_order_relaxed);
  if (n > before) grow(w, before, n);
  if (n < before) shrink(w, before, n);
  if (n > before) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2, for queued fibers
    wake_for_ring(w);
  }
  return before;
}

}  // namespace

P* make_p(const world& w, int id) {
  auto* p = new P(id);
  if (w.debug.chaos) p->attention.store(shuffle_queue, std::memory_order_relaxed);
  return p;
}

bool some_p_is_held_locked(const world& w) noexcept {
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (const P* p = w.p_at(i); !p->retired && !p->idle.load(std::memory_order_relaxed)) return true;
  return false;
}

bool retire_if_asked(M* m) {
  P* p = m->p;
  if (!(p->attention.load(std::memory_order_relaxed) & retire_p)) [[likely]]
    return false;
  world& w = *m->w;
  if (poller* net = w.poller_or_null()) net->flush(*p);
  {
    const std::lock_guard hold(w.lock);
    if (!(p->attention.load(std::memory_order_relaxed) & retire_p)) return false;  // grown again
    detach_p(m);
    if (P* other = acquire_idle_p_locked(w)) acquire_p(m, other);
  }
  empty(w, p);
  bool grown_again = false;
  {
    // It must be empty before another M may get it.
    const std::lock_guard hold(w.lock);
    grown_again = !(p->attention.load(std::memory_order_relaxed) & retire_p);
    if (grown_again) push_idle_p_locked(w, p);
    else p->retired = true;
  }
  if (grown_again) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2, for the moved fibers
    wake_for_ring(w);
  }
  if (m->p) return true;
  if (m->spinning) {
    m->spinning = false;
    one_less_spins(w);  // [wake-up] T1
  }
  idle_without_p(m);
  return true;
}

}  // namespace weft::detail

namespace weft {

int maxprocs(int n) {
  using namespace detail;
  if (n > max_procs) throw panic(fmt::format("maxprocs: {} out of range: at most {}", n, max_procs));
  const world_scope here(this_m());
  world* w = here.world_or_null();
  if (!w) {
    if (const int simulated = sim_maxprocs(n)) return simulated;
    if (n > 0) throw panic("maxprocs: no world is running; set options.maxprocs instead");
    return default_maxprocs();
  }
  if (n < 1) return w->procs.load(std::memory_order_relaxed);
  if (!in_fiber()) throw panic("maxprocs: set from outside a fiber");
  M* m = this_m();
  enter_runtime_with_p(m);
  const int before = set_procs(*w, n);
  leave_runtime(m);
  if (n < before) yield();  // if this P was retired, run on another when this returns
  return before;
}

int num_cpu() {
  using namespace detail;
  if (sim_self()) return sim_cpus;
  if (M* m = this_m()) {
    cpu_mask cpus;
    affinity_without_limit(*m, cpus);
    if (const int n = cpus.count()) return n;
  }
  return cpu_count();
}

}  // namespace weft
