// stats(): the counters of the world.
#include <weft/go.h>

#include <mutex>

#include "sched/current.h"
#include "sched/diagnosis/stack_report.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft {

runtime_stats stats() {
  runtime_stats s;
  const detail::world_scope here(detail::this_m());
  detail::world* w = here.world_or_null();
  if (!w) return s;
  for (const auto& slot : w->ps)  // before the count of spawns: a fiber ends only after it began
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
    s.timers_fired += p->timers.fired();
  }
  s.wakeups = w->wakeups.load(std::memory_order_relaxed);
  s.handoffs = w->handoffs.load(std::memory_order_relaxed);
  if (w->marks) s.stacks = detail::stack_uses(*w);
  const std::lock_guard hold(w->lock);
  s.threads = static_cast<std::uint64_t>(w->ms);
  return s;
}

}  // namespace weft
