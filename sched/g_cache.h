// Gs that have no fiber, with their stacks: last used, first reused, because its page is warm.
#pragma once
#include <cstddef>
#include <cstdint>

#include "sched/g.h"

namespace weft::detail {

// One P's. Owner only. Only Gs with stacks of the world's arena.
class g_cache {
 public:
  // Returns a free G with a stack of `arena`, which is the world's. As make_g().
  G* take(stack_arena* arena) {
    G* g = first_;
    if (!g) [[unlikely]]
      return take_slow(arena);
    first_ = static_cast<G*>(g->next);
    --count_;
    return g;
  }
  void give(G* g) noexcept {
    g->next = first_;
    first_ = g;
    if (++count_ >= spill_at) [[unlikely]]
      spill();
  }
  void give_back_all() noexcept;

 private:
  static constexpr std::uint32_t batch = 32, spill_at = 64;  // Go's numbers
  G* take_slow(stack_arena* arena);
  void spill() noexcept;

  G* first_ = nullptr;
  std::uint32_t count_ = 0;
};

// The Gs of `arena` in the shared cache, which is behind the Ps' caches.
struct idle_gs {
  std::size_t all = 0;
  std::size_t unused = 0;  // since the last count
};
idle_gs count_idle_gs(const stack_arena& arena) noexcept;

// Rests up to `n` Gs that stayed unused since the last count: their stacks' memory is returned
// to the system. Measured for each: 1.5 us, and 20 us while another thread of the process runs,
// whose CPU the kernel interrupts each time. Returns how many.
std::size_t rest_idle_gs(const stack_arena& arena, std::size_t n);

// In a forked child: drops the Gs, which belong to arenas that the child no longer uses.
void renew_g_cache_after_fork();

// Returns g's stack to its arena.
void rest_g(G* g);

}  // namespace weft::detail
