// What can be asked about fibers and the world: counts, ids, names.
#include "sched/stats.h"

#include <weft/go.h>

#include <mutex>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/simulated.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {

std::uint64_t fibers_alive(const world& w) noexcept {
  std::uint64_t finished = w.finished_outside.load(std::memory_order_relaxed),
                spawned = w.spawned_outside.load(std::memory_order_relaxed);
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
  const detail::world_scope here(detail::this_m());
  const detail::world* w = here.world_or_null();
  return w ? detail::fibers_alive(*w) : detail::sim_fibers();
}

std::uint64_t this_fiber::id() {
  detail::M* m = detail::this_m();
  if (m && m->g) return m->g->id;
  const detail::G* g = detail::sim_self();
  return g ? g->id : 0;
}

std::string_view this_fiber::name() {
  detail::M* m = detail::this_m();
  const detail::G* g = m ? m->g : detail::sim_self();
  const detail::spawn_extras* e = g ? detail::extras_of(g->record) : nullptr;
  return e ? std::string_view(e->name) : std::string_view();
}

}  // namespace weft
