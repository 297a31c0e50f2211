#include "sched/g_cache.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "sched/sysmon.h"

namespace weft::detail {
namespace {

// Free Gs with stacks of the world's arena that no P holds.
struct shared_cache {
  spin_lock lock;
  G* first = nullptr;           // under lock
  std::size_t count = 0;        // under lock
  std::size_t least = 0;        // under lock: smallest count since count_idle_gs
  const stack_arena* arena = nullptr;  // under lock: of the stacks of all of them
};

shared_cache& shared() {
  static auto* s = new shared_cache;  // never destroyed: threads may outlive main
  return *s;
}

void rest_chain(G* g) {
  std::vector<stack> stacks;
  for (; g; g = static_cast<G*>(g->next)) stacks.push_back(g->where);
  if (!stacks.empty()) stacks.front().arena->rest(stacks.data(), stacks.size());
}

}  // namespace

G* g_cache::take_slow(stack_arena* arena) {
  shared_cache& s = shared();
  {
    const std::lock_guard hold(s.lock);
    if (s.arena == arena) {
      while (s.first && count_ < batch) {
        G* g = s.first;
        s.first = static_cast<G*>(g->next);
        --s.count;
        g->next = first_;
        first_ = g;
        ++count_;
      }
      s.least = std::min(s.least, s.count);
    }
  }
  if (count_ == 0) return make_g(*arena);
  return take(arena);
}

void g_cache::spill() noexcept {
  shared_cache& s = shared();
  bool wake_monitor = false;
  G* misfits = nullptr;
  {
    const std::lock_guard hold(s.lock);
    const stack_arena* arena = first_->where.arena;
    if (s.arena != arena) {  // a new world with another size of stacks or guards
      misfits = s.first;
      s.first = nullptr;
      s.count = s.least = 0;
      s.arena = arena;
    }
    wake_monitor = s.count == 0;
    while (count_ > batch) {
      G* g = first_;
      first_ = static_cast<G*>(g->next);
      --count_;
      g->next = s.first;
      s.first = g;
      ++s.count;
    }
  }
  rest_chain(misfits);
  if (wake_monitor) wake_sysmon_if_asleep();
}

void g_cache::give_back_all() noexcept {
  while (count_ > 0) {
    G* g = first_;
    first_ = static_cast<G*>(g->next);
    --count_;
    rest_g(g);
  }
}

idle_gs count_idle_gs(const stack_arena& arena) noexcept {
  shared_cache& s = shared();
  const std::lock_guard hold(s.lock);
  if (s.arena != &arena) return {};
  return {.all = s.count, .unused = std::exchange(s.least, s.count)};
}

std::size_t rest_idle_gs(const stack_arena& arena, std::size_t n) {
  shared_cache& s = shared();
  G* cold = nullptr;
  {
    const std::lock_guard hold(s.lock);
    if (s.arena != &arena) return 0;
    n = std::min(n, s.least);
    for (std::size_t i = 0; i < n; ++i) {
      G* g = s.first;
      s.first = static_cast<G*>(g->next);
      g->next = cold;
      cold = g;
    }
    s.count -= n;
    s.least -= n;
  }
  rest_chain(cold);
  return n;
}

void renew_g_cache_after_fork() { ::new (static_cast<void*>(&shared())) shared_cache; }

void rest_g(G* g) {
  const stack s = g->where;
  s.arena->rest(&s, 1);
}

}  // namespace weft::detail
