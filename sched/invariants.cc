#include "sched/invariants.h"

#include <fmt/format.h>

#include <mutex>

#include "runtime/fatal.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

void require(bool what, const char* rule, const char* text, int id) noexcept {
  if (!what) fatal(fmt::format("scheduler: {} is broken: {} {}", rule, text, id));
}

// The Ps of the list are idle and held by no M, and the list has the recorded length.
void check_idle_ps_locked(const world& w) noexcept {
  int listed = 0;
  const int made = w.ps_to_look_at();
  for (const P* p = w.idle_p_list; p && listed <= made; p = p->next_idle, ++listed) {
    require(p->idle.load(std::memory_order_relaxed), "I2", "an idle P is not marked as idle: P", p->id);
    require(!p->retired, "I2", "a retired P is idle: P", p->id);
    require(!p->holder.load(std::memory_order_relaxed), "I2", "an M holds an idle P: P", p->id);
  }
  require(listed == w.idle_ps.load(std::memory_order_relaxed), "I2", "idle Ps are miscounted, listed are", listed);
  int marked = 0;
  for (int i = 0; i < made; ++i) marked += w.p_at(i)->idle.load(std::memory_order_relaxed) ? 1 : 0;
  require(marked == listed, "I2", "Ps are marked as idle and not listed, marked are", marked);
}

// An idle M owns no P, and is in the list or has a role.
void check_idle_ms_locked(const world& w) noexcept {
  int idle = 0;
  for (const M* m : w.all_ms) {
    if (!m->is_idle) continue;
    ++idle;
    require(!m->p, "I2", "an idle M owns a P: M", m->id);
  }
  require(idle == w.idle_ms, "I2", "idle Ms are miscounted, there are", idle);
  int listed = 0;
  for (const M* m = w.idle_m_list; m && listed <= idle; m = m->next_idle, ++listed) {
    require(m->is_idle, "I2", "an M in the idle list is not idle: M", m->id);
    require(m != w.timer_waiter, "I6", "the M that sleeps for timers is in the idle list, too: M", m->id);
  }
  const bool timer_m = w.timer_waiter && w.timer_waiter->is_idle;
  const bool poller_m = w.io_m && w.io_m->is_idle && w.io_m != w.timer_waiter;
  require(listed + (timer_m ? 1 : 0) + (poller_m ? 1 : 0) == idle, "I2",
          "idle Ms are neither listed nor in a role, listed are", listed);
}

}  // namespace

void check_p(const M& m, const P& p) noexcept {
  require(m.p == &p, "I2", "an M checks a P that is not its own: M", m.id);
  require(p.holder.load(std::memory_order_relaxed) == &m, "I2", "another M is noted as the holder of P", p.id);
  require(!p.idle.load(std::memory_order_relaxed), "I2", "a P that is held is marked as idle: P", p.id);
  require(p.queue.ring_size_approx() <= run_queue::capacity, "I3", "more stands in the ring than there is room for: P",
          p.id);
}

void check_world_locked(const world& w) noexcept {
  const int spinning = w.spinning.load(std::memory_order_relaxed);
  require(spinning >= 0, "I1", "fewer than no M look for work:", spinning);
  require(spinning <= w.ms + w.ps_to_look_at(), "I1", "more Ms look for work than there are:", spinning);
  check_idle_ps_locked(w);
  check_idle_ms_locked(w);
  const poller* net = w.poller_or_null();
  const bool all_idle = w.idle_ps.load(std::memory_order_relaxed) == w.procs.load(std::memory_order_relaxed);
  require(!(net && all_idle && w.idle_ms == w.ms && spinning == 0 && net->has_waiters() && !w.io_m && w.ms > 0 &&
            !w.stopping.load(std::memory_order_relaxed)),
          "I5", "fibers wait for descriptors, every M is idle and none is in the poller; Ms:", w.ms);
}

}  // namespace weft::detail
