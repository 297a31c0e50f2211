#include "sched/diagnosis/wait_cycles.h"

#include <fmt/format.h>
#include <weft/detail/holder.h>

#include <algorithm>
#include <utility>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/m.h"
#include "sched/simulated.h"

namespace weft::detail {
namespace {

const fiber_view* find(const std::vector<fiber_view>& all, std::uint64_t id) {
  const auto at =
      std::lower_bound(all.begin(), all.end(), id, [](const fiber_view& f, std::uint64_t i) { return f.id < i; });
  return at != all.end() && at->id == id ? &*at : nullptr;
}

std::string name_of(const fiber_view& f) {
  return f.name.empty() ? fmt::format("fiber {}", f.id) : fmt::format("fiber {} ({})", f.id, f.name);
}

// Each fiber waits for one other at most, so a walk along these waits ends or repeats.
std::vector<const fiber_view*> cycle_from(const std::vector<fiber_view>& all, const fiber_view& first) {
  std::vector<const fiber_view*> way;
  for (const fiber_view* f = &first; f && f->waits_for != 0; f = find(all, f->waits_for)) {
    if (const auto seen = std::find(way.begin(), way.end(), f); seen != way.end()) return {seen, way.end()};
    way.push_back(f);
  }
  return {};
}

}  // namespace

void name_holders(std::vector<fiber_view>& all) {
  std::vector<const fiber_view*> by_stack;
  for (const fiber_view& f : all)
    if (f.where.arena) by_stack.push_back(&f);
  std::sort(by_stack.begin(), by_stack.end(), [](auto a, auto b) { return a->where.bottom < b->where.bottom; });
  for (fiber_view& f : all) {
    if (f.holder_at == 0) continue;
    auto at = std::upper_bound(
        by_stack.begin(), by_stack.end(), f.holder_at,
        [](std::uintptr_t a, const fiber_view* v) { return a < reinterpret_cast<std::uintptr_t>(v->where.bottom); });
    if (at == by_stack.begin()) continue;
    const fiber_view& below = **--at;
    if (f.holder_at < reinterpret_cast<std::uintptr_t>(below.where.top())) f.waits_for = below.id;
  }
}

std::string describe_cycles(const std::vector<fiber_view>& all) {
  std::string text;
  std::vector<std::uint64_t> told;
  for (const fiber_view& f : all) {
    const auto cycle = cycle_from(all, f);
    if (cycle.empty() || std::find(told.begin(), told.end(), cycle.front()->id) != told.end()) continue;
    if (cycle.size() == 1) text += fmt::format("deadlock: {} waits for itself\n", name_of(*cycle.front()));
    else text += fmt::format("deadlock: {} fibers wait for each other\n", cycle.size());
    for (const fiber_view* c : cycle) {
      told.push_back(c->id);
      text +=
          fmt::format("\t{} [{}] waits for {}\n", name_of(*c), describe_state(*c), name_of(*find(all, c->waits_for)));
    }
  }
  if (!text.empty()) text += '\n';
  return text;
}

namespace {
const holder* exchange_waits_on(const holder* h) noexcept {
  M* m = this_m();
  G* g = m ? m->g : sim_self();
  return g ? std::exchange(g->waits_on, h) : nullptr;
}
}  // namespace

waits_for::waits_for(const holder* h) noexcept : outer_(exchange_waits_on(h)) {}
waits_for::~waits_for() { exchange_waits_on(outer_); }

}  // namespace weft::detail
