// The life of a fiber on its stack: taking up, parking, yielding, ending.
//
// A fiber that leaves switches straight to the next one when its P has it at hand, so a park and
// a wake-up cost one switch and not two. Only what needs a search, a lock or a look around goes
// through the M's own stack (schedule()). What must happen once a fiber is off its stack, such as
// unlocking the channel it waits on, travels in the switch message and is done by the other side.
//
// A fiber that ends looks first: if the next in line has never run, it is run right here, on the
// stack that is warm, by a function call. A fiber that never parks thus costs no switch at all.
#include <sched.h>

#include <exception>
#include <memory>

#include "sched/exit.h"
#include "sched/leave.h"

namespace weft::detail {

void park_plain_thread(commit_fn commit, void* arg);

namespace {

void fiber_entry(switch_note* note);

void bind(G* g, spawn_record* r, M* m) {
  g->record = r;
  g->captured = closure_of(r);
  g->id = r->id;
  g->site = r->site;
  g->flags = 0;
  g->thread_locks = 0;
  g->state.store(g_state::running, std::memory_order_relaxed);
  m->g = g;
}

}  // namespace

G* give_stack(M* m, spawn_record* r) {
  const spawn_extras* extras = extras_of(r);
  const std::size_t size = extras && extras->stack_size ? extras->stack_size : m->w->stack_size;
  G* g = size == m->w->stack_size ? m->p->gs.take(size) : make_g(size);
  std::byte* low = g->where.usable();
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

[[gnu::noinline]] void note_end(world& w, G& g) {
  if (w.marks) w.marks->note_end(g);
  if (w.ancestors) w.ancestors->note_end(g.id);
}

// The commits below run on the M that has just left the fiber, which is their argument.
void retire_g(G* g, void* on) {
  auto* m = static_cast<M*>(on);
  g->context.sanitizer.close();
  if (m->w->notes_ends) [[unlikely]]
    note_end(*m->w, *g);
  g->state.store(g_state::free, std::memory_order_relaxed);
  if (g->where.size == m->w->stack_size) m->p->gs.give(g);
  else rest_g(g);
}

[[gnu::noinline]] void run_body(G* g) {
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
    note_goexit(g->id);
  }  // and nothing else: panic.h
}

// After the body: the record goes back, and if the next in line has never run, g becomes it.
// Else returns what to leave for (null: the M's own stack).
enum class ended { run_here, leave };
ended end_fiber(M*& m, G* g, runnable*& next) {
  m = this_m();
  enter_runtime_with_p(m);
  P* p = m->p;
  free_record(p, g->record);
  g->record = nullptr;
  P::count(p->finished);
  next = nullptr;
  if (g->flags & locked_to_m) {  // Go's rule: a thread whose fiber ended while locked is not reused
    m->ends = true;
    m->locked_g = nullptr;
    return ended::leave;
  }
  if (take_quick(m, next) != quick::got) return ended::leave;
  if (!goes_straight(m, next)) {
    m->handed = next;
    next = nullptr;
    return ended::leave;
  }
  if (under_tsan || m->w->notes_ends || next->started || (next->flags & has_extras) ||
      g->where.size != m->w->stack_size)
    return ended::leave;
  P::count(p->adopted);
  P::count(p->switches);
  bind(g, static_cast<spawn_record*>(next), m);
  return ended::run_here;
}

void fiber_entry(switch_note* note) {
  entered_new_stack();
  M* m = arrive(note);
  G* g = m->g;
  runnable* next = nullptr;
  do {
    leave_runtime(m);
    run_body(g);
  } while (end_fiber(m, g, next) == ended::run_here);

  switch_message msg{{}, m, g, retire_g, m};
  stack_context* to = &m->own_stack;
  if (next) {
    to = &take_up(m, next)->context;
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
  const std::lock_guard hold(w.lock);  // no wake-up: this M looks at the global queue next
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
  stack_context* to = &take_up(m, r)->context;
  timeline_enter(m);
  switch_message msg{{}, m, nullptr, nullptr, nullptr};
  arrive(jump(m->own_stack, *to, m->exceptions, &msg));
}

namespace {

[[gnu::always_inline]] inline void park_on(M* m, wait_reason reason, commit_fn commit, void* arg) {
  if (m && m->g) [[likely]]
    park_fiber(m, reason, commit, arg);
  else park_plain_thread(commit, arg);
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
  leave_for(m, g, nullptr, commit, nullptr);
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
    sched_yield();
    return;
  }
  check_may_suspend(m, "yield");
  enter_runtime_with_p(m);
  G* g = m->g;
  runnable* r = nullptr;
  const quick q = take_quick(m, r);
  if (q == quick::nothing && m->w->global_size.load(std::memory_order_relaxed) == 0 &&
      !m->w->net.load(std::memory_order_relaxed)) {
    leave_runtime(m);
    return;
  }
  if (q == quick::got && !goes_straight(m, r)) [[unlikely]] {
    m->handed = r;
    r = nullptr;
  }
  // To the end of the own ring. With nothing else there, to that of the global queue, and so once in a
  // while when there are other Ps: those with many yielding fibers share with those that have few.
  const run_queue& own = m->p->queue;
  const bool share = q == quick::got ? !own.alone() && m->p->turn.load(std::memory_order_relaxed) % fair_turn == 0
                                     : own.empty_approx();
  leave_for(m, g, r, share ? requeue_global : requeue_local, m);
}

}  // namespace weft
