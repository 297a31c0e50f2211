#include "sched/sim/stacks.h"

#include <weft/go.h>

#include <map>
#include <memory>

namespace weft::detail {
namespace {

struct pool {
  stack_arena arena;
  std::vector<sim_fiber*> free;
  explicit pool(std::size_t size) : arena(size) {}
};

// Not among the arenas that a world's dump looks at. They stay until the process ends, as those do.
std::map<std::size_t, std::unique_ptr<pool>>& pools() {
  static auto* all = new std::map<std::size_t, std::unique_ptr<pool>>;
  return *all;
}

std::size_t usual_size = options().stack_size;
pool* usual = nullptr;  // of usual_size, once it is used

std::size_t in_pages(std::size_t size) noexcept { return (size + page_size - 1) / page_size * page_size; }

pool& pool_of(std::size_t size) {
  std::unique_ptr<pool>& p = pools()[size];
  if (!p) p = std::make_unique<pool>(size);
  return *p;
}

sim_fiber* make_fiber(const stack& s) {
  // As G's: not all at the same place in their pages.
  constexpr std::size_t space = (sizeof(sim_fiber) + 63) / 64 * 64, places = 16, line = 64;
  const std::size_t lower = reinterpret_cast<std::uintptr_t>(s.bottom) / s.size() % places * line;
  auto* f = ::new (static_cast<void*>(s.top() - space - lower)) sim_fiber;
  f->started = true;
  f->flags = plain_thread | simulated;
  f->where = s;
  f->stack_top = reinterpret_cast<std::byte*>(f);
  return f;
}

}  // namespace

void set_usual_sim_stack(std::size_t size) {
  usual_size = in_pages(size);
  usual = nullptr;
}

sim_fiber* take_sim_stack(std::size_t size) {
  if (!usual) usual = &pool_of(usual_size);
  pool& p = size <= usual_size ? *usual : pool_of(in_pages(size));
  if (p.free.empty()) return make_fiber(p.arena.take());
  sim_fiber* f = p.free.back();
  p.free.pop_back();
  return f;
}

void give_sim_stack(sim_fiber* f) noexcept { pool_of(f->where.size()).free.push_back(f); }

}  // namespace weft::detail
