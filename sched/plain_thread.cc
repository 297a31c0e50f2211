// A plain OS thread that uses a primitive: it has a G as its stand-in, and blocks on a futex.
#include "sched/plain_thread.h"

#include "runtime/futex.h"
#include "sched/current.h"
#include "sched/deadlock.h"
#include "sched/g.h"
#include "sched/simulated.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

struct stand_in_g : G {
  stand_in_g() noexcept { flags = plain_thread; }
};

}  // namespace

[[gnu::noinline]] G* stand_in() noexcept {
  if (G* simulated = sim_self()) return simulated;
  static thread_local stand_in_g g;
  return &g;
}

[[gnu::noinline]] G* self() noexcept {
  M* m = this_m();
  return m && m->g ? m->g : stand_in();
}

bool in_fiber() noexcept {
  M* m = this_m();
  return m && m->g;
}

namespace {

// The number of plain threads that are parked without a deadline, plus one_change for each change.
constinit std::atomic<std::uint64_t> parked{0};
constexpr std::uint64_t one_change = std::uint64_t{1} << 32;

// A plain thread may be the last that could have woken a fiber. It checks this after some sleep,
// since a check takes some microseconds. Returns the time of the check; `never`: an M that becomes
// idle later checks instead.
std::int64_t look_at(bool now_too) {
  const world_scope here(nullptr);
  world* w = here.world_or_null();
  if (!w || w->idle_ps.load(std::memory_order_relaxed) < w->procs.load(std::memory_order_relaxed)) return never;
  if (now_too && verdict_if_all_asleep(*w) != asleep::perhaps) return never;
  return now_ns() + recheck_ns;
}

}  // namespace

parked_threads parked_plain_threads() noexcept {
  const std::uint64_t now = parked.load(std::memory_order_relaxed);
  return {.number = static_cast<int>(static_cast<std::uint32_t>(now)), .as_read = now};
}
void forget_plain_threads_after_fork() noexcept { parked.store(0, std::memory_order_relaxed); }
void plain_thread_woken() noexcept { parked.fetch_add(one_change - 1, std::memory_order_relaxed); }

void park_plain_thread(wait_reason reason, commit_fn commit, void* arg) {
  if (sim_park(reason, commit, arg)) return;
  G* g = stand_in();
  g->woken.store(sleeps_without_deadline, std::memory_order_relaxed);
  if (commit) commit(g, arg);
  // Not before the commit, which may wake a fiber. The waker may have reset this already.
  parked.fetch_add(one_change + 1, std::memory_order_relaxed);
  std::int64_t until = look_at(false);
  // [plain] the waker's writes before it woke us
  while (g->woken.load(std::memory_order_acquire) == sleeps_without_deadline)
    if (!futex_wait(g->woken, sleeps_without_deadline, until) && until != never) until = look_at(true);
}

// Note [plain]: the waker writes the waiter's result, then releases `woken`; the sleeper acquires
// it.
//
// A thread counts as asleep for a short time after it was woken. This causes no verdict: the waker
// is an M that is not idle, or a thread that is itself not asleep.

}  // namespace weft::detail
