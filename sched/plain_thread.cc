// A plain OS thread that uses a primitive: it has a G as its stand-in, and blocks on a futex.
#include "runtime/futex.h"
#include "sched/g.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

struct stand_in_g : G {
  stand_in_g() noexcept { flags = plain_thread; }
};

}  // namespace

[[gnu::noinline]] G* stand_in() noexcept {
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

void park_plain_thread(commit_fn commit, void* arg) {
  G* g = stand_in();
  g->woken.store(0, std::memory_order_relaxed);
  if (commit) commit(g, arg);
  // [plain] what the waker did before it woke us
  while (g->woken.load(std::memory_order_acquire) == 0) futex_wait(g->woken, 0, never);
}

// Note [plain]: the waker writes the waiter's result, then releases `woken`; the sleeper acquires it.

}  // namespace weft::detail
