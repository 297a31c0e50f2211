#include "sched/stack_marks.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <mutex>

#include "sched/fiber_list.h"
#include "sched/g.h"
#include "sched/symbolize.h"
#include "sched/world.h"

namespace weft::detail {

std::size_t touched(const stack& s) noexcept {
  std::array<unsigned char, 1024> in_memory;
  const std::size_t pages = s.size / page_size;
  for (std::size_t first = 1; first < pages; first += in_memory.size()) {  // 0 is the guard
    const std::size_t n = std::min(in_memory.size(), pages - first);
    if (mincore(s.bottom + first * page_size, n * page_size, in_memory.data()) != 0) return 0;
    for (std::size_t i = 0; i < n; ++i)
      if (in_memory[i] & 1) return (pages - first - i) * page_size;
  }
  return 0;
}

void stack_marks::note(const void* site, std::size_t bytes, std::size_t size) {
  mark& m = by_site_[site];
  ++m.fibers;
  if (bytes <= m.most) return;
  m.most = bytes;
  m.size = size;
}

void stack_marks::note_end(G& g) {
  const std::lock_guard hold(lock_);
  const std::size_t bytes = touched(g.where);
  note(g.id == main_fiber_id ? nullptr : g.site, bytes, g.where.size);
  if (const std::size_t below = g.where.size - 2 * page_size; bytes > page_size)  // all but the page that g lies on
    madvise(g.where.usable(), below, MADV_DONTNEED);
  g.state.store(g_state::free, std::memory_order_relaxed);
}

std::vector<stack_use> stack_marks::report(world& w) {
  stack_marks all;
  {
    const std::lock_guard hold(lock_);
    all.by_site_ = by_site_;
    for (const fiber_view& f : list_fibers(w, with_frames::no))
      if (f.started) all.note(f.id == main_fiber_id ? nullptr : f.site, touched(f.where), f.where.size);
  }
  std::vector<stack_use> uses;
  for (const auto& [site, m] : all.by_site_)
    uses.push_back({site ? to_string(start_site(site)) : "weft::run", m.fibers, m.most, m.size});
  std::stable_sort(uses.begin(), uses.end(), [](const stack_use& a, const stack_use& b) { return a.most > b.most; });
  return uses;
}

void report_stack_use(world& w) {
  std::string text = "weft: stacks used, at most, in bytes\n";
  for (const stack_use& u : w.marks->report(w))
    fmt::format_to(std::back_inserter(text), "\t{} of {}: {} fiber{} started at {}\n", u.most, u.size, u.fibers,
                   u.fibers == 1 ? "" : "s", u.started_at);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace weft::detail
