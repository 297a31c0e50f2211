#include "sched/g.h"

#include <fmt/format.h>

#include <iterator>
#include <new>

#include "runtime/fatal.h"

namespace weft::detail {
namespace {

// Tops of stacks that differ by a whole page fall into the same sets of the L1 cache. A G is
// therefore set a little lower on each next stack, by a cache line, within a quarter of the page.
std::size_t stagger(const stack& s) noexcept {
  constexpr std::size_t places = 16, line = 64;
  return (reinterpret_cast<std::uintptr_t>(s.bottom) / (s.arena->guard_size() + s.size())) % places * line;
}

constexpr std::size_t g_space = (sizeof(G) + 63) / 64 * 64;

}  // namespace

G* g_of(const stack& s) noexcept { return reinterpret_cast<G*>(s.top() - g_space - stagger(s)); }

namespace {

// Ends the process instead of throwing: the caller may be another fiber that parks, in the middle
// of a queue of waiters, where no exception can be handled.
stack new_stack(stack_arena& arena) noexcept {
  try {
    return arena.take();
  } catch (const std::bad_alloc&) {
    give_up(fmt::format("out of memory: no stack of {} bytes for a fiber", arena.stack_size()));
  }
}

}  // namespace

G* make_g(stack_arena& arena) noexcept {
  const stack s = new_stack(arena);
  G* g = ::new (static_cast<void*>(g_of(s))) G;
  g->started = true;
  g->where = s;
  g->stack_top = reinterpret_cast<std::byte*>(g);
  return g;
}

void impossible(const char* what_happens, const G& g) noexcept {
  constexpr const char* names[] = {"free", "runnable", "running", "parked", "in a blocking call"};
  const auto state = static_cast<std::size_t>(g.state.load(std::memory_order_relaxed));
  fatal(fmt::format("scheduler: fiber {} is {}, but it is {}", g.id, what_happens,
                    state < std::size(names) ? names[state] : "in no known state"));
}

const spawn_extras* extras_of_named(const spawn_record* r) noexcept {
  // Every named_record<F> has the same beginning, for each F.
  struct prefix : spawn_record {
    spawn_extras extras;
  };
  return &static_cast<const prefix*>(r)->extras;
}

const spawn_extras* extras_of(const spawn_record* r) noexcept {
  return r && (r->flags & has_extras) ? extras_of_named(r) : nullptr;
}

const void* closure_of(const spawn_record* r) noexcept {
  const spawn_extras* extras = extras_of(r);
  return extras ? static_cast<const void*>(extras + 1) : r + 1;
}

}  // namespace weft::detail
