// Puts runnables into the run queues, and wakes Ms for them.
#include "sched/ready.h"

#include "runtime/futex.h"
#include "runtime/rmw_fence.h"
#include "sched/current.h"
#include "sched/g.h"
#include "sched/plain_thread.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

// Half of the full ring and r go to the global queue together: one lock for 129 fibers.
bool overflow(M* m, runnable* r) {
  std::uint32_t n = 0;
  runnable* first = m->p->queue.pop_half(n);
  if (!first) return false;  // a thief has made room
  ready_list batch;
  for (runnable* at = first; at;) {
    runnable* next = at->next;
    batch.push(at);
    at = next;
  }
  batch.push(r);
  world& w = *m->w;
  const std::lock_guard hold(w.lock);
  runnable* head = batch.first();
  runnable* tail = r;
  w.global.append(head, tail, batch.size());
  w.global_size.store(w.global.size(), std::memory_order_relaxed);
  return true;
}

// A plain thread may read while a world that is no longer published abandons its fibers.
std::uint8_t flags_of(G* g) noexcept { return std::atomic_ref(g->flags).load(std::memory_order_relaxed); }

void wake_plain_thread(G* g) noexcept {
  if (flags_of(g) & simulated) {
    sim_ready(g);
    return;
  }
  // [plain] the waker's writes for the sleeper
  if (g->woken.exchange(1, std::memory_order_release) == sleeps_without_deadline) plain_thread_woken();
  futex_wake(g->woken, 1);                       // the thread may have ended: only the address is used
}

}  // namespace

void push_ring(M* m, runnable* r) {
  while (!m->p->queue.push(r))
    if (overflow(m, r)) return;
}

void push_next(M* m, runnable* r) {
  run_queue& q = m->p->queue;
  runnable* displaced = q.exchange_next(r);  // [wake-up] S1; wake_for_next() reads seq_cst behind it: S2
  world& w = *m->w;
  if (!displaced) {
    if (!q.alone()) wake_for_next(w);
    return;
  }
  push_ring(m, displaced);
  if (q.alone()) return;
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) {
    // No P is idle, as far as a read without a fence shows. An M that becomes idle checks every
    // ring after its own fence, and what a later push adds is fenced by exchange_next().
    return;
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(w);
}

void push_global(world& w, runnable* r) {
  {
    const std::lock_guard hold(w.lock);
    w.global.push(r);
    w.global_size.store(w.global.size(), std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(w);
}

void push_global_list(world& w, ready_list& list) {
  if (list.empty()) return;
  {
    const std::lock_guard hold(w.lock);
    while (runnable* r = list.pop()) w.global.push(r);
    w.global_size.store(w.global.size(), std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(w);
}

// As in Go, each fiber that a timer makes ready becomes the next to run and displaces the previous
// one to the ring's end: a fiber that slept is late by one turn, not by the whole queue. It runs in
// the time slice of the fiber before it (take_local()), so fibers that sleep and wake starve the
// ring for one slice at most. Fibers that a poller makes ready go to the end of the queues, in Go
// too: a thousand connections that are readable together take turns with the others.
void push_fired(M* m, ready_list& list, wake_policy who) {
  if (list.empty()) return;
  run_queue& q = m->p->queue;
  const bool more = list.size() > 1 || m->g;
  if (runnable* before = q.take_next()) push_ring(m, before);
  while (list.size() > 1) push_ring(m, list.pop());
  q.exchange_next(list.pop());  // [wake-up] S1
  fence_after_rmw();            // S2, for the ring too
  if (more && who == wake_policy::if_worth_it && !q.alone()) wake_for_ring(*m->w);
}

void push_polled(M* m, ready_list& list) {
  if (list.empty()) return;
  world& w = *m->w;
  const bool more = list.size() > 1 || m->g;
  std::size_t pushed = 0;
  if (w.global_size.load(std::memory_order_relaxed) == 0) {
    std::size_t room = run_queue::capacity - m->p->queue.ring_size_approx();
    for (; room > 0 && !list.empty(); --room, ++pushed) push_ring(m, list.pop());
  }
  push_global_list(w, list);
  if (!pushed || !more || m->p->queue.alone()) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  wake_for_ring(w);
}

namespace {

[[gnu::noinline]] void ready_from_outside(G* g) {
  if (flags_of(g) & plain_thread) {
    wake_plain_thread(g);
    return;
  }
  const world_scope here(nullptr);
  if (!here.world_or_null() || (flags_of(g) & abandoned)) return;
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  push_global(*here.world_or_null(), g);
}

}  // namespace

namespace {

// parked -> runnable. Fatal if the fiber is not parked.
[[gnu::always_inline]] inline void wake(G* g) {
  if (g->state.load(std::memory_order_relaxed) != g_state::parked) [[unlikely]]
    impossible("made ready", *g);
  g->state.store(g_state::runnable, std::memory_order_relaxed);
}

}  // namespace

void ready_into(ready_list& list, G* g) {
  if (const auto flags = flags_of(g); flags & (plain_thread | abandoned)) {
    if (flags & plain_thread) wake_plain_thread(g);
    return;
  }
  wake(g);
  list.push(g);
}

void ready(G* g, m_face* face) {
  auto* m = static_cast<M*>(face);
  if (!m) [[unlikely]] {
    ready_from_outside(g);
    return;
  }
  if (g->flags & (plain_thread | abandoned)) [[unlikely]] {
    if (g->flags & plain_thread) wake_plain_thread(g);
    return;
  }
  wake(g);
  // It runs soon, and on this core: its stack is prefetched now.
  const auto* left = static_cast<const std::byte*>(g->context.at.sp);
  __builtin_prefetch(left, 1);
  __builtin_prefetch(left + 64, 1);
  __builtin_prefetch(left + 128, 1);
  const runtime_call in(m);
  if (in.p()) [[likely]]
    push_next(m, g);
  else push_global(*m->w, g);
}

void ready(G* g) { ready(g, this_m()); }

}  // namespace weft::detail
