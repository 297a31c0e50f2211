// Gs that have no fiber, with their stacks: last used, first reused, because its page is warm.
#pragma once
#include <cstddef>
#include <cstdint>

#include "sched/g.h"

namespace weft::detail {

// One P's. Owner only. Only Gs with stacks of the world's size.
class g_cache {
 public:
  // A free G with a stack of `stack_size` bytes. As make_g().
  G* take(std::size_t stack_size) {
    G* g = first_;
    if (!g) [[unlikely]]
      return take_slow(stack_size);
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
  G* take_slow(std::size_t stack_size);
  void spill() noexcept;

  G* first_ = nullptr;
  std::uint32_t count_ = 0;
};

// Behind the Ps' caches. A G that nobody has wanted for a while is rested: its memory goes back.
// Lets go of those of `stack_size` that stood unused in the shared cache since the last call;
// returns how many are left there.
std::size_t rest_idle_gs(std::size_t stack_size);

// A G with a stack that is not of the world's size goes straight back to its arena.
void rest_g(G* g);

}  // namespace weft::detail
