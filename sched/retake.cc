// Retaking the P of an M whose fiber blocks without blocking() or computes for long.
//
// Only the P moves. The fiber is not switched out: it may hold the lock of malloc, and a signal
// would interrupt the system call that it sleeps in. It keeps its thread. At its next call into the
// runtime it finds that the P is gone. There it queues for a P, still in that thread, because it
// may hold a std::mutex or the address of a thread-local. So every entry to the runtime checks, and
// the check must cost almost nothing. The monitor, which seldom retakes a P, pays for both sides.
// While the fiber computes without a P it shares the CPUs of the Ms that have one: cpu_limit.cc.
//
// Refused: a compare-and-swap or a fence at each entry (2 ns and more, where a call costs 10); a
// signal, which makes sleeping calls return EINTR.
//
// Note [retake]: losing a P while running a fiber
//      M, from fiber code into the runtime      the monitor, with world::retaking held
//   R1 in_runtime (in_section) = true        Q1 claim = asked, in_doubt = true, solo = false
//   R2 compiler barrier                      Q2 membarrier: a full fence on every thread
//   R3 in_doubt? settle it                   Q3 in_runtime or in_section, or another turn?
//   R4 ... in_runtime = false (release)         withdraw; else claim = taken: the monitor has the P
// If R3 read false, it ran before Q1 was seen, so before Q2 fenced that thread: R1 is visible at
// Q3, which withdraws. If it read true, settling waits for the monitor's decision under
// world::retaking.
// Q3 acquires R4 of the last call, so the next M that gets the P sees all that this M did to it.
//
// Turns: p->turn changes with each fiber that leaves and with each M that gets the P. So if the
// monitor finds an M in the turn that it saw at its previous look, that M has not called
// acquire_p() since. No write of acquire_p() can overwrite the writes of Q1, and `solo` stays false
// until the M gets a P again.
//
// A fiber that calls the runtime in a loop is hardly ever outside it, and the monitor always
// withdraws. After a time slice it marks the M as overdue, in that turn, and the M releases its P
// at its next call. A mark for an earlier turn has no effect; one that acquire_p()
// overwrites is set again at the next look.
//
// Where membarrier is refused, and under TSan, which does not model it, in_doubt is always set, and
// settling repeats R1 with a full fence.
#include "sched/retake.h"

#include <utility>

#include "runtime/membarrier.h"
#include "sched/blocking.h"
#include "sched/current.h"
#include "sched/fork.h"
#include "sched/g.h"
#include "sched/ready.h"
#include "sched/run_fiber.h"
#include "sched/timeline.h"
#include "sched/wake.h"

namespace weft::detail {
namespace {

constexpr std::uint64_t overdue_mark = std::uint64_t{1} << 32;

// m, at the beginning of a call of its fiber, releases its P to the fibers that wait.
void release_overdue_p(M* m) noexcept {
  m->overdue.store(0, std::memory_order_relaxed);
  timeline_leave(m);
  hand_off_p(*m->w, detach_p(m), thread_need::optional);
}

// Returns true if m holds a P. `mark` is the mark that m has set at its entry.
bool has_p_for_certain(M* m, std::atomic<bool>& mark) noexcept {
  if (forked_from_a_fiber()) refuse_forked_fiber();
  if (!m->p) return false;
  mark.exchange(true, std::memory_order_seq_cst);  // [retake] R1, and R2 where in_doubt is always set
  if (m->claim.load(std::memory_order_seq_cst) != claim_on_p::none) {  // [retake] R3
    const std::lock_guard hold(m->w->retaking);
    if (m->claim.load(std::memory_order_relaxed) == claim_on_p::taken) {
      m->claim.store(claim_on_p::none, std::memory_order_relaxed);
      timeline_without_p_ends(m);
      std::erase(m->w->without_p, m);
      clear_p(m);  // in_doubt stays set until m gets another P
      return false;
    }
  }
  if (m->overdue.load(std::memory_order_relaxed) != (overdue_mark | m->p->turn.load(std::memory_order_relaxed)))
    return true;
  release_overdue_p(m);
  return false;
}

// The world of m's fiber has ended: nothing runs it again.
[[noreturn]] void leave_for_good(M* m) noexcept {
  m->in_runtime.store(true, std::memory_order_relaxed);
  for (;;) leave_without_p(m, wait_reason::none, nullptr);
}

// m's fiber, in its own code, has no P: waits for one in this thread, as if it were locked to it.
void wait_for_p(M* m) noexcept {
  if (m->w->stopping.load(std::memory_order_relaxed)) leave_for_good(m);
  m->in_runtime.store(true, std::memory_order_relaxed);
  if (acquire_idle_p(m)) {
    timeline_enter(m);
    leave_runtime(m);
    return;
  }
  G* g = m->g;
  const bool was_locked = g->flags & locked_to_m;
  if (!was_locked) {
    set_flag(*g, locked_to_m);
    g->locked_m = m;
    m->locked_g = g;
  }
  ++g->thread_locks;
  const bool kept = std::exchange(m->keeps_main, m->is_first);
  leave_without_p(m, wait_reason::none, queue_unless_stopped);
  m->keeps_main = kept;
  --g->thread_locks;
  if (!was_locked) {
    clear_flag(*g, locked_to_m);
    g->locked_m = nullptr;
    m->locked_g = nullptr;
  }
}

}  // namespace

void settle_in_runtime(M* m) noexcept { has_p_for_certain(m, m->in_runtime); }

void enter_runtime_with_p(M* m) noexcept {
  for (;;) {
    enter_runtime(m);
    if (m->p) return;
    wait_for_p(m);
  }
}

void settle_fiber() noexcept { const runtime_call in(this_m(), runtime_call::needs::a_p); }

void settle_section(m_face* face) noexcept {
  auto* m = static_cast<M*>(face);
  if (m->in_runtime.load(std::memory_order_relaxed)) return;  // the scheduler's own section: its P is not retaken
  while (!has_p_for_certain(m, m->in_section)) {
    m->in_section.store(false, std::memory_order_relaxed);
    wait_for_p(m);
    m->in_section.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // [retake] R2
  }
}

void mark_overdue(M* m, std::uint32_t turn) noexcept {
  m->overdue.store(overdue_mark | turn, std::memory_order_relaxed);
  m->in_doubt.store(true, std::memory_order_relaxed);
}

bool retake_p_locked(world& w, P* p, M* m, std::uint32_t turn) noexcept {
  m->claim.store(claim_on_p::asked, std::memory_order_seq_cst);  // [retake] Q1
  m->in_doubt.store(true, std::memory_order_relaxed);
  m->solo.store(false, std::memory_order_relaxed);
  if (w.membarrier) fence_all_threads();  // Q2
  const bool in = m->in_runtime.load(std::memory_order_seq_cst) ||  // [retake] Q3
                  m->in_section.load(std::memory_order_seq_cst);    // [retake] Q3
  if (in || p->turn.load(std::memory_order_relaxed) != turn || p->holder.load(std::memory_order_relaxed) != m) {
    if (w.membarrier) m->in_doubt.store(false, std::memory_order_relaxed);
    m->claim.store(claim_on_p::none, std::memory_order_relaxed);
    return false;
  }
  p->holder.store(nullptr, std::memory_order_relaxed);
  m->claim.store(claim_on_p::taken, std::memory_order_relaxed);
  w.without_p.push_back(m);
  return true;
}

}  // namespace weft::detail
