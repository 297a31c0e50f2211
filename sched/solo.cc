// Skipping locks while no other thread can use the primitive.
//
// With one P only one thread runs fibers, and fibers switch only inside the runtime. So a channel's
// lock excludes no other thread, unless a plain thread uses the channel too. An atomic exchange
// costs 7 ns on some CPUs, two of them more than a whole buffered send and receive. So while an M
// holds the only P and no plain thread has ever come, a section only marks the M as inside one.
//
// Note [solo]: leaving this state for the rest of the process
//      M, at each section                  the first plain thread
//   A1 in_section = true                B1 solo = false
//   A2 compiler barrier                 B2 membarrier: a full fence on every thread
//   A3 read solo; true? no lock         B3 wait until in_section is false
//   A4 ... in_section = false (release)
// If A3 read true, it ran before B1 was seen, so before B2 fenced that thread: A1 is visible at B3,
// and B3 waits for A4, and acquires what the section did. Otherwise A3 reads false and takes the
// lock. The M itself grows the world from one P to two, between sections.
//
// An M may be getting the P at this time, with its store solo = true not yet in memory. That store
// would undo B1. So
//      M, getting the P                    the first plain thread, before B1
//   C1 solo = no plain thread comes     D1 a plain thread comes
//   C2 compiler barrier                 D2 membarrier
//   C3 a thread comes? solo = false
// If C3 still saw no thread, it ran before D2 fenced that thread, so C1 is in memory before B1
// overwrites it. A world that begins is published before C1 and looked up after D1, all of it
// seq_cst: either the M sees D1 or the plain thread sees the world, whose M is listed by then.
//
// Under TSan every lock is taken: it does not model a fence made by the kernel.
#include "sched/solo.h"

#include <atomic>
#include <mutex>

#include "runtime/membarrier.h"
#include "sched/current.h"
#include "sched/simulated.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

constinit std::atomic<bool> plain_threads_come{false};  // no M becomes solo any more
// `came`: a plain thread has, and no M is solo. `simulated`: in a simulation, which has no M; the
// caller may be a fiber of that.
enum class foreign : std::uint8_t { none, came, simulated };
constinit std::atomic<foreign> plain_threads{foreign::none};
constinit foreign before_simulation = foreign::none;  // by the thread that simulates
std::mutex& one_at_a_time() noexcept {
  static std::mutex m;
  return m;
}

// The wait does not hold the world's lock: an M that parks in its section takes that lock to find
// work.
bool some_m_is_in_a_section(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  for (const M* m : w.all_ms)
    if (m->in_section.load(std::memory_order_acquire)) return true;  // [solo] B3
  return false;
}

}  // namespace

bool solo_now(const world& w) noexcept {
  return w.membarrier && !w.ever_shared.load(std::memory_order_relaxed) &&
         !plain_threads_come.load(std::memory_order_seq_cst);  // [solo] C1, C3
}

void wait_for_end_of_solo() noexcept { const std::lock_guard hold(one_at_a_time()); }

namespace {

// The first plain thread.
void end_solo() noexcept {
  const std::lock_guard hold(one_at_a_time());
  if (plain_threads.load(std::memory_order_relaxed) != foreign::none) return;
  plain_threads_come.store(true, std::memory_order_seq_cst);  // [solo] D1
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [solo] D1 before the look for a world
  world* w = the_world();
  if (w && w->membarrier) {
    fence_all_threads();  // D2
    {
      const std::lock_guard hold_world(w->lock);
      for (M* m : w->all_ms) m->solo.store(false, std::memory_order_relaxed);  // B1
    }
    fence_all_threads();  // B2
    while (some_m_is_in_a_section(*w)) cpu_relax();  // B3
  }
  plain_threads.store(foreign::came, std::memory_order_release);  // [solo] for the next plain thread
}

}  // namespace

[[gnu::noinline]] void end_solo_if_foreign(const void* lock) noexcept {
  const foreign now = plain_threads.load(std::memory_order_acquire);  // [solo] B3 is behind us
  if (now == foreign::came) return;
  if (now == foreign::simulated) sim_point(sim_op::section, lock);
  else end_solo();
}

void begin_simulated_sections() noexcept {
  const std::lock_guard hold(one_at_a_time());
  before_simulation = plain_threads.exchange(foreign::simulated, std::memory_order_acq_rel);  // [solo] no world: no M
}

void end_simulated_sections() noexcept {
  const std::lock_guard hold(one_at_a_time());
  plain_threads.store(before_simulation, std::memory_order_release);  // [solo] as it was
}

}  // namespace weft::detail
