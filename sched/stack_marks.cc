#include "sched/stack_marks.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "sched/g.h"
#include "sched/world.h"

namespace weft::detail {

std::size_t touched(const stack& s) noexcept {
  std::array<unsigned char, 1024> in_memory;
  const std::size_t pages = s.size() / page_size;
  for (std::size_t first = 0; first < pages; first += in_memory.size()) {
    const std::size_t n = std::min(in_memory.size(), pages - first);
    if (mincore(s.bottom + first * page_size, n * page_size, in_memory.data()) != 0) return 0;
    for (std::size_t i = 0; i < n; ++i)
      if (in_memory[i] & 1) return (pages - first - i) * page_size;
  }
  return 0;
}

void stack_marks::add(by_site& marks, const void* site, std::size_t bytes, std::size_t size) {
  mark& m = marks[site];
  ++m.fibers;
  if (bytes <= m.most) return;
  m.most = bytes;
  m.size = size;
}

void stack_marks::record_fiber_end(G& g) {
  const std::lock_guard hold(lock_);
  const std::size_t bytes = touched(g.where);
  add(by_site_, g.id == main_fiber_id ? nullptr : g.site, bytes, g.where.size());
  if (const std::size_t below = g.where.size() - page_size; bytes > page_size)  // all but the page that g lies on
    madvise(g.where.bottom, below, MADV_DONTNEED);
  g.state.store(g_state::free, std::memory_order_relaxed);
}

stack_marks::by_site stack_marks::snapshot(const std::function<void(by_site&)>& add_living) {
  const std::lock_guard hold(lock_);
  by_site all = by_site_;
  add_living(all);
  return all;
}

}  // namespace weft::detail
