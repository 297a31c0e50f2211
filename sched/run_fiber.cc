// The life of a fiber on its stack: starting, parking, yielding, ending.
//
// A fiber that leaves switches directly to the next one if its P has one in its own queue, so a
// park and a wake-up cost one switch and not two. Only work that needs a search or a lock goes
// through the M's own stack (schedule()). Some work must happen once a fiber is off its stack, such
// as unlocking the channel it waits on. The switch message carries that work, and the other side
// does it.
//
// A fiber that ends looks at the next runnable first: if that has never run, it runs by a function
// call on this stack, which is warm. So a fiber that never parks costs no switch.
#include "sched/run_fiber.h"

#include <cxxabi.h>
#include <sched.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

#include "sched/current.h"
#include "sched/diagnosis_calls.h"
#include "sched/exit.h"
#include "sched/leave.h"
#include "sched/plain_thread.h"
#include "sched/ready.h"
#include "sched/simulated.h"
#include "sched/wake.h"

namespace weft::detail {
namespace {

void fiber_entry(switch_header* note);

void bind(G* g, spawn_record* r, M* m) {
  g->record = r;
  g->captured = closure_of(r);
  g->id = r->id;
  g->site = r->site;
  std::atomic_ref(g->flags).store(0, std::memory_order_relaxed);  // run() may end the world at this moment
  g->thread_locks = 0;
  g->state.store(g_state::running, std::memory_order_relaxed);
  m->g = g;
}

}  // namespace

G* give_stack(M* m, spawn_record* r) {
  const spawn_extras* extras = extras_of(r);
  stack_arena* arena = m->w->stacks;
  if (extras && extras->stack_size) [[unlikely]]
    arena = &arena_for(extras->stack_size, arena->guard_size());
  G* g = arena == m->w->stacks ? m->p->gs.take(arena) : make_g(*arena);
  std::byte* low = g->where.bottom;
  const auto usable = static_cast<std::size_t>(g->stack_top - low);
  unpoison(low, usable);
  g->context.caught = nullptr;
  g->context.uncaught = 0;
  g->context.sanitizer.open(low, usable);
  prepare<fiber_entry>(g->context.at, g->stack_top, usable);
  bind(g, r, m);
  return g;
}

namespace {

[[gnu::noinline]] void record_fiber_end(world& w, G& g) {
  if (w.marks) w.marks->record_fiber_end(g);
  if (w.ancestors) w.ancestors->record_fiber_end(g.id);
}

// The commits below run on the M that has just left the fiber, which is their argument.
void retire_g(G* g, void* on) {
  auto* m = static_cast<M*>(on);
  g->context.sanitizer.close();
  if (m->w->records_fiber_ends) [[unlikely]]
    record_fiber_end(*m->w, *g);
  g->state.store(g_state::free, std::memory_order_relaxed);
  if (g->where.arena == m->w->stacks) m->p->gs.give(g);
  else rest_g(g);
}

void retire_g_without_p(G* g, void* on) {
  auto* m = static_cast<M*>(on);
  g->context.sanitizer.close();
  if (m->w->records_fiber_ends) record_fiber_end(*m->w, *g);
  g->state.store(g_state::free, std::memory_order_relaxed);
  rest_g(g);
}

[[noreturn]] void end_by_pthread_exit(const G& g) {
  diagnosis.panic_of(g, "pthread_exit or pthread_cancel in a fiber: it ends an OS thread (goexit ends a fiber)");
  std::abort();  // not reached
}

// no_sanitize: what pthread_exit throws has no object, and the reference to it is null.
[[gnu::noinline]] __attribute__((no_sanitize("null"))) void run_body(G* g) {
  try {
    struct end_locals {
      G* g;
      ~end_locals() {
        if (g->locals) {
          g->locals->end();
          g->locals.reset();
        }
      }
    } at_end{g};
    g->record->invoke(g->record);
  } catch (const goexit_signal&) {
    record_goexit(g->id);
  } catch (const abi::__forced_unwind&) {  // what pthread_exit and pthread_cancel throw
    end_by_pthread_exit(*g);
  }  // and nothing else: panic.h
}

// After the body: the record is freed. If the next runnable has never run, g becomes it. Else
// returns the next to leave for (null: the M's own stack).
enum class ended { run_here, leave, leave_without_p };

// The main fiber, whose P was retaken before it ended the world.
[[gnu::noinline, gnu::cold]] ended end_main_without_p(M* m, G* g) {
  spawn_record* const r = std::exchange(g->record, nullptr);
  if (r->size_class == record_pool::from_heap) ::operator delete(static_cast<void*>(r));
  else record_pool::give_shared(r, r->size_class);
  m->w->finished_outside.fetch_add(1, std::memory_order_relaxed);
  m->ends = true;
  m->locked_g = nullptr;
  return ended::leave_without_p;
}

ended end_fiber(M*& m, G* g, runnable*& next) {
  m = this_m();
  next = nullptr;
  enter_runtime(m);
  if (!m->p) [[unlikely]] {
    if (g->id == main_fiber_id && m->w->stopping.load(std::memory_order_relaxed)) return end_main_without_p(m, g);
    enter_runtime_with_p(m);
  }
  P* p = m->p;
  free_record(p, g->record);
  g->record = nullptr;
  P::count(p->finished);
  // Go's rule: a thread whose fiber ended while locked is not reused. The end of the world may set
  // another flag.
  if (std::atomic_ref(g->flags).load(std::memory_order_relaxed) & locked_to_m) {
    m->ends = true;
    m->locked_g = nullptr;
    return ended::leave;
  }
  if (pick_next_fast(m, next) != fast_pick::got) return ended::leave;
  if (!can_switch_directly(m, next)) {
    m->handed = next;
    next = nullptr;
    return ended::leave;
  }
  if (under_tsan || m->w->records_fiber_ends || next->started || (next->flags & has_extras) ||
      g->where.arena != m->w->stacks)
    return ended::leave;
  P::count(p->adopted);
  P::count(p->switches);
  bind(g, static_cast<spawn_record*>(next), m);
  return ended::run_here;
}

void fiber_entry(switch_header* note) {
  entered_new_stack();
  M* m = arrive(note);
  G* g = m->g;
  runnable* next = nullptr;
  ended how{};
  do {
    leave_runtime(m);
    run_body(g);
    how = end_fiber(m, g, next);
  } while (how == ended::run_here);

  switch_message msg{{}, m, g, how == ended::leave ? retire_g : retire_g_without_p, m};
  stack_context* to = &m->own_stack;
  if (next) {
    to = &prepare_to_run(m, next)->context;
  } else {
    timeline_leave(m);
    m->g = nullptr;
  }
  jump(g->context, *to, m->exceptions, &msg, true);
  __builtin_unreachable();
}

void requeue_local(G* g, void* on) {
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  auto* m = static_cast<M*>(on);
  push_ring(m, g);
  if (m->p->queue.alone() || m->w->idle_ps.load(std::memory_order_relaxed) == 0) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(*m->w);
}

void requeue_global(G* g, void* on) {
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  world& w = *static_cast<M*>(on)->w;
  // No wake-up: this M looks at the global queue when it has nothing else, and the timer waiter
  // before.
  const std::lock_guard hold(w.lock);
  w.global.push(g);
  w.global_size.store(w.global.size(), std::memory_order_relaxed);
}

}  // namespace

void free_record(P* p, spawn_record* r) noexcept {
  if (r->flags & has_extras) std::destroy_at(const_cast<spawn_extras*>(extras_of(r)));
  if (r->size_class == record_pool::from_heap) ::operator delete(r);
  else p->records.give(r, r->size_class);
}

void execute(M* m, runnable* r) {
  stack_context* to = &prepare_to_run(m, r)->context;
  timeline_enter(m);
  switch_message msg{{}, m, nullptr, nullptr, nullptr};
  arrive(jump(m->own_stack, *to, m->exceptions, &msg));
}

namespace {

[[gnu::always_inline]] inline void park_on(M* m, wait_reason reason, commit_fn commit, void* arg) {
  if (m && m->g) [[likely]]
    park_fiber(m, reason, commit, arg);
  else park_plain_thread(reason, commit, arg);
}

}  // namespace

void park(wait_reason reason, commit_fn commit, void* arg) { park_on(this_m(), reason, commit, arg); }

void park(wait_reason reason, section& held) {
  park_on(
      static_cast<M*>(held.m()), reason, [](G*, void* s) { static_cast<section*>(s)->leave(); }, &held);
}

void leave_without_p(M* m, wait_reason reason, commit_fn commit) {
  G* g = m->g;
  g->reason.store(reason, std::memory_order_relaxed);
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  leave_for(m, g, nullptr, commit, m->w);
}

void queue_unless_stopped(G* g, void* w) {
  auto& of = *static_cast<world*>(w);
  if (!of.stopping.load(std::memory_order_relaxed)) push_global(of, g);
}

std::exception_ptr caught_exception() {
  std::exception_ptr e = std::current_exception();
  if (const M* m = e ? nullptr : this_m(); m && m->g) end_by_pthread_exit(*m->g);
  return e;
}

void park_forever(wait_reason reason) {
  for (;;) park(reason, nullptr, nullptr);
}

}  // namespace weft::detail

namespace weft {

void yield() {
  using namespace detail;
  M* m = this_m();
  if (!m || !m->g) {
    if (sim_yield()) return;
    sched_yield();
    return;
  }
  check_may_suspend(m, "yield");
  enter_runtime_with_p(m);
  G* g = m->g;
  runnable* r = nullptr;
  const fast_pick q = pick_next_fast(m, r);
  if (q == fast_pick::nothing && m->w->global_size.load(std::memory_order_relaxed) == 0 &&
      !m->w->net.load(std::memory_order_relaxed)) {
    leave_runtime(m);
    return;
  }
  if (q == fast_pick::got && !can_switch_directly(m, r)) [[unlikely]] {
    m->handed = r;
    r = nullptr;
  }
  // To the end of the P's own ring. If the ring is empty, and once in some turns while there are
  // other Ps, to the end of the global queue: Ps with many yielding fibers share with Ps that have
  // few.
  const run_queue& own = m->p->queue;
  const bool share = q == fast_pick::got ? !own.alone() && m->p->turn.load(std::memory_order_relaxed) % fair_turn == 0
                                         : own.empty_approx();
  leave_for(m, g, r, share ? requeue_global : requeue_local, m);
}

}  // namespace weft
