#include "sched/stack_rest.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/m.h"
#include "sched/world.h"

namespace weft::detail {

[[gnu::noinline]] void give_stack_back() noexcept {
  // The frame of madvise lies below this one.
  constexpr std::uintptr_t margin = 512;
  const M* const m = this_m();
  if (!m || !m->g || m->w->marks) return;
  const stack& s = m->g->where;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto lowest = reinterpret_cast<std::uintptr_t>(s.bottom);
  if (s.size() == 0 || here <= lowest || here >= reinterpret_cast<std::uintptr_t>(s.top())) return;
  const std::uintptr_t end = (here - margin) & ~(page_size - 1);
  if (end > lowest) (void)madvise(s.bottom, end - lowest, MADV_DONTNEED);
}

}  // namespace weft::detail
