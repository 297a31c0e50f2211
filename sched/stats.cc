// What can be asked about fibers and the world: counts, ids, names.
#include <weft/go.h>

#include <mutex>

#include "sched/g.h"
#include "sched/visit.h"
#include "sched/world.h"

namespace weft::detail {

std::uint64_t fibers_alive(const world& w) noexcept {
  std::uint64_t finished = 0, spawned = w.spawned_outside.load(std::memory_order_relaxed);
  for (const auto& slot : w.ps)
    if (const P* p = slot.load(std::memory_order_acquire))  // [procs]
      finished += p->finished.load(std::memory_order_relaxed);
  for (const auto& slot : w.ps)
    if (const P* p = slot.load(std::memory_order_acquire))  // [procs]
      spawned += p->spawned.load(std::memory_order_relaxed);
  return spawned > finished ? spawned - finished : 0;
}

}  // namespace weft::detail

namespace weft {

std::size_t num_fibers() {
  const detail::visit here(detail::this_m());
  const detail::world* w = here.where();
  return w ? detail::fibers_alive(*w) : 0;
}

runtime_stats stats() {
  runtime_stats s;
  const detail::visit here(detail::this_m());
  detail::world* w = here.where();
  if (!w) return s;
  for (const auto& slot : w->ps)  // before all that was spawned: nobody ends who has not begun
    if (const detail::P* p = slot.load(std::memory_order_acquire)) {  // [procs]
      s.adopted += p->adopted.load(std::memory_order_relaxed);
      s.finished += p->finished.load(std::memory_order_relaxed);
    }
  s.spawned = w->spawned_outside.load(std::memory_order_relaxed);
  for (const auto& slot : w->ps) {
    const detail::P* p = slot.load(std::memory_order_acquire);  // [procs]
    if (!p) continue;
    s.spawned += p->spawned.load(std::memory_order_relaxed);
    s.switches += p->switches.load(std::memory_order_relaxed);
    s.steals += p->steals.load(std::memory_order_relaxed);
    s.stolen += p->stolen.load(std::memory_order_relaxed);
    s.timers_fired += p->fired.load(std::memory_order_relaxed);
  }
  s.wakeups = w->wakeups.load(std::memory_order_relaxed);
  s.handoffs = w->handoffs.load(std::memory_order_relaxed);
  if (w->marks) s.stacks = w->marks->report(*w);
  const std::lock_guard hold(w->lock);
  s.threads = static_cast<std::uint64_t>(w->ms);
  return s;
}

std::uint64_t this_fiber::id() {
  detail::M* m = detail::this_m();
  return m && m->g ? m->g->id : 0;
}

std::string_view this_fiber::name() {
  detail::M* m = detail::this_m();
  const detail::spawn_extras* e = m && m->g ? detail::extras_of(m->g->record) : nullptr;
  return e ? std::string_view(e->name) : std::string_view();
}

}  // namespace weft
