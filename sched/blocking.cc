// Calls in blocking(): the fiber keeps the thread, the P goes to another.
#include "sched/blocking.h"

#include <cerrno>

#include "sched/current.h"
#include "sched/deadlock.h"
#include "sched/fork.h"
#include "sched/g.h"
#include "sched/no_suspend.h"
#include "sched/ready.h"
#include "sched/retake.h"
#include "sched/run_fiber.h"
#include "sched/steal.h"
#include "sched/threads.h"
#include "sched/timeline.h"
#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {

namespace {

// Fibers wait for descriptors, and no M is in the poller.
bool nobody_polls(world& w) noexcept {
  const poller* net = w.poller_or_null();
  if (!net || !net->has_waiters()) return false;
  const std::lock_guard hold(w.lock);
  return !w.io_m;
}

}  // namespace

void hand_off_p(world& w, P* p, thread_need need) {
  w.handoffs.fetch_add(1, std::memory_order_relaxed);
  if (poller* net = w.poller_or_null()) net->flush(*p);
  const auto has_work = [&] {
    return !p->queue.empty_approx() || w.global_size.load(std::memory_order_relaxed) > 0 ||
           w.stopping.load(std::memory_order_relaxed);
  };
  if (has_work()) {
    w.spinning.fetch_add(1, std::memory_order_relaxed);
    start_m(w, p, need);
    return;
  }
  {
    const std::lock_guard hold(w.lock);
    push_idle_p_locked(w, p);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] T2, after T1 in push_idle_p_locked
  const std::int64_t due = p->timers.earliest();  // not before: a thread without a P may just add one
  if (has_work() || any_work_approx(w) || nobody_polls(w)) wake_for_ring(w);  // [wake-up] T3; idle.cc, I5
  else if (due != never) timer_came_first(w, due);
  else verdict_if_all_asleep(w);
}

namespace {

// The M whose fiber is in a blocking() call on this thread. Never inlined: see current.cc.
[[gnu::noinline]] M*& blocked_m() noexcept {
  static constinit thread_local M* m __attribute__((tls_model("initial-exec"))) = nullptr;
  return m;
}

// Never inlined, as blocked_m().
[[gnu::noinline]] int errno_of_thread() noexcept { return errno; }
[[gnu::noinline]] void set_errno_of_thread(int e) noexcept { errno = e; }

// The fiber of a call that has returned gets a P, or queues until an M with a P runs it.
void queue_for_p(M* m) {
  if (!m->w->stopping.load(std::memory_order_relaxed) && acquire_idle_p(m)) {
    timeline_enter(m);
    leave_runtime(m);
    return;
  }
  // Every P is busy. Park the fiber here and queue it; this M becomes an idle one.
  leave_without_p(m, wait_reason::blocked_call, queue_unless_stopped);
}

}  // namespace

M* this_m_in_any_call() noexcept {
  M* m = this_m();
  return m ? m : blocked_m();
}

namespace {

bool begin(thread_need need) {
  M* m = this_m();
  if (!m || !m->g) return false;
  check_may_suspend(m, wait_reason::blocked_call);
  enter_runtime(m);  // and stays there: the call is no fiber's code from which a P could be retaken
  G* g = m->g;
  world& w = *m->w;
  g->state.store(g_state::blocked, std::memory_order_relaxed);
  timeline_leave(m);
  P* p = detach_p(m);
  {
    const std::lock_guard hold(w.lock);
    ++w.blocked_ms;
  }
  leave_cpu_limit(*m);
  m->blocked_in = fork_generation();
  m->blocked_around = blocked_m();
  blocked_m() = m;
  set_this_m(nullptr);  // inside the call the thread counts as a plain thread
  if (p) hand_off_p(w, p, need);
  return true;
}

}  // namespace

bool begin_blocking() { return begin(thread_need::certain); }
bool begin_blocking_if_possible() { return begin(thread_need::optional); }

void end_blocking() noexcept {
  const int error = errno_of_thread();  // of the call; the fiber may continue in another thread
  M* m = blocked_m();
  if (m->blocked_in != fork_generation()) refuse_forked_fiber();  // the child of a fork in the call
  blocked_m() = m->blocked_around;
  set_this_m(m);
  world& w = *m->w;
  {
    const std::lock_guard hold(w.lock);
    --w.blocked_ms;
  }
  m->g->state.store(g_state::running, std::memory_order_relaxed);
  queue_for_p(m);
  set_errno_of_thread(error);
}

}  // namespace weft::detail
