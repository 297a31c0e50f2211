#include <weft/detail/fork_record.h>
#include <weft/detail/in_line.h>

#include <new>

#include "sched/current.h"
#include "sched/ready.h"
#include "sched/retake.h"
#include "sched/run_queue.h"
#include "sched/simulated.h"
#include "sched/spawn.h"
#include "sched/take.h"
#include "sched/ticks.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {

constinit const char fork_mark = 0;

namespace {

void unlink(m_face* m, fork_record& r) noexcept {
  if (r.older) r.older->newer = r.newer;
  else m->oldest_fork = r.newer;
  if (r.newer) r.newer->older = r.older;
  else m->newest_fork = r.older;
  r.newer = r.older = nullptr;
  r.open = false;
  if (!m->newest_fork && m->no_suspend_site == &fork_mark) m->no_suspend_site = nullptr;
}

// In a simulation no P is ever too busy to take a branch, up to this number of fibers: a range of a
// million iterations must not become a million stacks.
constexpr std::size_t most_simulated = 64;

template <class F>
bool submit_simulated(const F& f, const void* site) noexcept {
  simulator* s = this_simulator();
  if (!s || !s->may_fork()) return false;
  try {
    spawn<plain_record<F>>(site, f);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

bool runs_alone(const m_face* m) noexcept { return m->g && m->g->thread_locks > 0; }

}  // namespace

bool submit_fork(void (*invoke)(void*), void* arg, const void* site) noexcept {
  const auto call = [invoke, arg] { invoke(arg); };
  ready_list one;
  M* m = this_m();
  if (!m) return submit_simulated(call, site);
  const runtime_call in(m, runtime_call::needs::a_p);
  try {
    spawn_into(one, call, site);
  } catch (const std::bad_alloc&) {
    return false;
  }
  push_ring(m, one.pop());
  if (m->p->queue.alone()) return true;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(*m->w);
  return true;
}

// A fiber that is bound to its thread runs all branches itself: they may use state of the thread.
void share_oldest_fork(m_face* face) noexcept {
  if (face->g) {
    auto* m = static_cast<M*>(face);
    if (runs_alone(m) || !m->p || !m->p->queue.empty_approx()) return;
  } else if (sim_fibers() >= most_simulated) {
    return;
  }
  fork_record* const r = face->oldest_fork;
  if (r->share(*r, fork_record::share_how::part)) unlink(face, *r);
}

void share_all_forks(m_face* m) noexcept {
  const bool may_share = !runs_alone(m);
  while (fork_record* const r = m->oldest_fork) {
    if (may_share) r->share(*r, fork_record::share_how::all);
    unlink(m, *r);  // the rest of it runs after the suspension, in the owner
  }
  if (m->no_suspend_site == &fork_mark) m->no_suspend_site = nullptr;
}

m_face* fork_list() noexcept {
  if (M* m = this_m()) return m;
  simulator* s = this_simulator();
  return s ? s->forks() : nullptr;
}

bool world_runs() noexcept { return world_scope(this_m()).world_or_null() != nullptr; }

// In a simulation always 0, so a range is not divided by how long its iterations take.
std::uint64_t fork_ticks() noexcept { return in_line.simulated && this_simulator() ? 0 : ticks(); }
std::uint64_t fork_ticks_per_us() noexcept { return slice_ticks() / 10'000; }

}  // namespace weft::detail
