// Skipping locks while nobody else can be there.
//
// With one P only one thread runs fibers, and fibers switch only where the runtime says so, so a
// channel's lock protects against nobody, unless a plain thread uses the channel too. An atomic
// exchange costs 7 ns on some CPUs, two of them more than a whole buffered send and receive. So
// while an M holds the only P and no plain thread has ever come, a section just marks the M as inside one.
//
// Note [solo]: leaving this state for good
//      M, at each section                  the first plain thread
//   A1 in_section = true                B1 solo = false
//   A2 compiler barrier                 B2 membarrier: a full fence on every thread
//   A3 read solo; true? no lock         B3 wait until in_section is false
//   A4 ... in_section = false (release)
// If A3 read true, it ran before B1 was seen, so before B2 fenced that thread: A1 is visible at B3, and
// B3 waits for A4, and acquires what the section did. Otherwise A3 reads false and takes the lock.
// Growing from one P to two is done by the M itself, between sections.
//
// An M may be just taking up the P, with solo = true on its way to memory, which would undo B1. So
//      M, taking up the P                  the first plain thread, before B1
//   C1 solo = nobody comes              D1 somebody comes
//   C2 compiler barrier                 D2 membarrier
//   C3 somebody comes? solo = false
// If C3 still saw nobody, it ran before D2 fenced that thread, so C1 is in memory before B1 overwrites it.
// A world that begins is announced before C1 and looked for after D1, all of it seq_cst: either the
// M sees D1 or the plain thread sees the world, whose M is listed by then.
//
// Under TSan every lock is taken: it cannot see a fence made by the kernel.
#include <atomic>
#include <mutex>

#include "runtime/membarrier.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

constinit std::atomic<bool> plain_threads_come{false};  // no M becomes solo any more
constinit std::atomic<bool> plain_threads_came{false};  // and none is
std::mutex& one_at_a_time() noexcept {
  static std::mutex m;
  return m;
}

// Not waited for with the world's lock held: an M that parks in its section takes that lock to find work.
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

[[gnu::noinline]] void end_solo_if_foreign() noexcept {
  if (plain_threads_came.load(std::memory_order_acquire)) return;  // [solo] B3 is behind us
  const std::lock_guard hold(one_at_a_time());
  if (plain_threads_came.load(std::memory_order_relaxed)) return;
  plain_threads_come.store(true, std::memory_order_seq_cst);  // [solo] D1
  std::atomic_thread_fence(std::memory_order_seq_cst);        // [solo] D1 before the look for a world
  world* w = the_world();
  if (w && w->membarrier) {
    fence_all_threads();  // D2
    {
      const std::lock_guard hold_world(w->lock);
      for (M* m : w->all_ms) m->solo.store(false, std::memory_order_relaxed);  // B1
    }
    fence_all_threads();  // B2
    while (some_m_is_in_a_section(*w)) cpu_relax();                   // B3
  }
  plain_threads_came.store(true, std::memory_order_release);  // [solo] for the next plain thread
}

}  // namespace weft::detail
