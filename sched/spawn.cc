// From a go statement to a queue.
#include "sched/spawn.h"

#include <fmt/format.h>
#include <weft/detail/spawn.h>

#include "runtime/fatal.h"
#include "runtime/stack.h"
#include "runtime/unwind/symbolize.h"
#include "sched/current.h"
#include "sched/g.h"
#include "sched/ready.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

world& must_be(world* w) {
  if (!w) throw panic("go: no world is running; start one with weft::run");
  return *w;
}

[[gnu::noinline]] void fetch_ids(const M* m) {
  P* p = m->p;
  ancestry* const noted = m->w->ancestors.get();
  const std::uint64_t batch = noted ? 1 : 16;
  p->next_id = m->w->next_fiber_id.fetch_add(batch, std::memory_order_relaxed);
  p->ids_end = p->next_id + batch;
  if (noted && m->g) noted->note_start(p->next_id, {m->g->id, m->g->site});
}

std::uint64_t next_id(const M* m) {
  P* p = m->p;
  if (p->next_id == p->ids_end) [[unlikely]]
    fetch_ids(m);
  return p->next_id++;
}

}  // namespace

void* allocate_record(std::size_t size) {
  const std::uint16_t c = record_pool::class_of(size);
  M* m = this_m();
  if (!m) {
    if (void* at = sim_allocate_record(size)) return at;
    must_be(world_scope(m).world_or_null());
  }
  if (c == record_pool::from_heap) return ::operator new(size);
  const runtime_call in(m, runtime_call::needs::a_p);
  return in.p() ? in.p()->records.take(c) : record_pool::take_shared(c);
}

void free_record_memory(void* at, std::size_t size) noexcept {
  const std::uint16_t c = record_pool::class_of(size);
  if (c == record_pool::from_heap) ::operator delete(at);
  else record_pool::give_shared(at, c);
}

void submit_into(ready_list& list, spawn_record* r, std::size_t size, const void* site) {
  r->size_class = record_pool::class_of(size);
  r->site = site;
  M* m = this_m();
  r->id = next_id(m);
  P::count(m->p->spawned);
  list.push(r);
}

void submit(spawn_record* r, std::size_t size, const void* site) {
  r->size_class = record_pool::class_of(size);
  r->site = site;
  M* m = this_m();
  const runtime_call in(m);
  if (in.p()) [[likely]] {
    r->id = next_id(m);
    P::count(m->p->spawned);
    push_next(m, r);
    return;
  }
  if (sim_submit(r)) return;
  const world_scope here(m);
  world& w = must_be(here.world_or_null());
  r->id = w.next_fiber_id.fetch_add(1, std::memory_order_relaxed);
  w.spawned_outside.fetch_add(1, std::memory_order_relaxed);
  push_global(w, r);
}

void go_of_null(const void* site) { give_up(fmt::format("go of a null function at {}", to_string(start_site(site)))); }

void check_stack_size(std::size_t size) {
  if (size == 0 || (size >= min_stack_size && size <= max_stack_size)) return;
  throw panic(fmt::format("stack size {} out of range: {} to {} bytes", size, min_stack_size, max_stack_size));
}

}  // namespace weft::detail
