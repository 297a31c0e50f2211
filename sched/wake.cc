// Waking: the lists of idle Ps and Ms, and which M gets a P when there is work. idle.cc has the
// other half of this protocol, and its proof.
#include "sched/wake.h"

#include <algorithm>
#include <ctime>

#include "runtime/clock.h"
#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/rmw_fence.h"
#include "sched/coarse_clock.h"
#include "sched/solo.h"
#include "sched/steal.h"
#include "sched/sysmon.h"
#include "sched/threads.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

void mark_busy_locked(world& w, M* m) noexcept {
  m->is_idle = false;
  --w.idle_ms;
  if (w.idle_ms < w.least_idle_ms) w.least_idle_ms = w.idle_ms;
  m->was_in_poller = w.io_m == m;  // it keeps that role until it has left the poller
  if (m->is_timer_backup) w.timer_backups.store(0, std::memory_order_relaxed);
  m->is_timer_backup = false;
}

// Takes one M off the idle list. Ms with a role come last: the role would have to be filled again.
M* take_idle_m_locked(world& w) noexcept {
  M* m = w.idle_m_list;
  if (m) {
    w.idle_m_list = m->next_idle;
  } else if (w.io_m && w.io_m->is_idle && w.io_m != w.timer_waiter) {
    m = w.io_m;
  } else if (w.timer_waiter && w.timer_waiter->is_idle) {
    m = w.timer_waiter;
  } else {
    return nullptr;
  }
  if (m == w.timer_waiter) {
    w.timer_waiter = nullptr;
    w.next_watched.store(false, std::memory_order_relaxed);
  }
  mark_busy_locked(w, m);
  return m;
}

// Starts one spinning M, if there is an idle P for it.
void wake_one(world& w) noexcept {
  int none = 0;
  // [wake-up] one wake-up in flight at a time: the thread that wins makes the M that will spin
  if (!w.spinning.compare_exchange_strong(none, 1, std::memory_order_seq_cst, std::memory_order_relaxed)) return;
  P* p = nullptr;
  {
    const std::lock_guard hold(w.lock);
    if (!w.stopping.load(std::memory_order_relaxed)) p = acquire_idle_p_locked(w);
  }
  if (!p) {
    one_less_spins(w);
    return;
  }
  start_m(w, p, thread_need::optional);
}

}  // namespace

void one_less_spins(world& w) noexcept {
  // [wake-up] T1
  if (w.spinning.fetch_sub(1, std::memory_order_seq_cst) <= 0)
    fatal("scheduler: more Ms have ended looking for work than began");
}

void unlist_locked(world& w, M* m) noexcept {
  for (M** at = &w.idle_m_list; *at; at = &(*at)->next_idle)
    if (*at == m) {
      *at = m->next_idle;
      break;
    }
  if (w.timer_waiter == m) {
    w.timer_waiter = nullptr;
    w.next_watched.store(false, std::memory_order_relaxed);
  }
  mark_busy_locked(w, m);
}

bool sleep_m(M* m, std::int64_t deadline) {
  // [note] the fields that the waker has written
  while (m->note.load(std::memory_order_acquire) == 0)
    if (!futex_wait(m->note, 0, deadline)) break;
  return m->note.exchange(0, std::memory_order_acquire) != 0;  // [note]
}

bool poll_m(M* m, poller& net, std::int64_t deadline, ready_list& ready) {
  net.wait(deadline, ready);
  return m->note.exchange(0, std::memory_order_acquire) != 0;  // [note]
}

void wake_m(M* m) noexcept {
  // m may end as soon as its note is set, so this field is read before. An M on its way into the
  // poller finds there that it has been woken. An M that has just left the poller sleeps for its
  // note.
  poller* net = m->was_in_poller ? m->w->poller_or_null() : nullptr;
  m->note.store(1, std::memory_order_release);  // [note] the P and the other fields that it was given
  futex_wake(m->note, 1);
  if (net) net->wake();
}

// Note [note]: a waker writes the M's fields, then releases the note; the M acquires the note
// first.

void push_idle_p_locked(world& w, P* p) noexcept {
  p->idle.store(true, std::memory_order_relaxed);
  p->next_idle = w.idle_p_list;
  w.idle_p_list = p;
  w.idle_ps.store(w.idle_ps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

P* acquire_idle_p_locked(world& w) noexcept {
  P* p = w.idle_p_list;
  if (!p) return nullptr;
  w.idle_p_list = p->next_idle;
  p->idle.store(false, std::memory_order_relaxed);
  w.idle_ps.store(w.idle_ps.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return p;
}

namespace {

void go_solo_if_possible(M* m) noexcept {
  if (!solo_now(*m->w)) {
    m->solo.store(false, std::memory_order_relaxed);
    return;
  }
  m->solo.store(true, std::memory_order_relaxed);       // C1
  std::atomic_signal_fence(std::memory_order_seq_cst);  // [solo] C2
  if (!solo_now(*m->w)) m->solo.store(false, std::memory_order_relaxed);  // C3
}

}  // namespace

void acquire_p(M* m, P* p) noexcept {
  m->p = p;
  set_coarse_clock(*m->w, now_ns());
  go_solo_if_possible(m);
  m->in_doubt.store(!m->w->membarrier, std::memory_order_relaxed);
  // [retake] a thread that sees this turn writes to `solo` and `in_doubt` after us
  p->turn.store(p->turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  p->holder.store(m, std::memory_order_release);  // [retake], [monitor] G1
  if (!m->w->membarrier) std::atomic_thread_fence(std::memory_order_seq_cst);  // [monitor] G2
  else std::atomic_signal_fence(std::memory_order_seq_cst);                        // [monitor] G2
  wake_sysmon_if_asleep();                                                         // G3
  const std::uint32_t limit = m->w->limit.epoch.load(std::memory_order_relaxed);   // [cpu-limit] L4
  if (m->cpus.epoch.load(std::memory_order_relaxed) != limit) [[unlikely]]
    follow_cpu_limit(*m);
}

void clear_p(M* m) noexcept {
  m->p = nullptr;
  m->batch_began = 0;
  m->quiet = false;
  m->solo.store(false, std::memory_order_relaxed);
}

P* detach_p(M* m) noexcept {
  P* p = m->p;
  if (!p) return nullptr;
  p->holder.store(nullptr, std::memory_order_relaxed);
  clear_p(m);
  return p;
}

bool acquire_idle_p(M* m) noexcept {
  P* p = nullptr;
  {
    const std::lock_guard hold(m->w->lock);
    p = acquire_idle_p_locked(*m->w);
  }
  if (p) acquire_p(m, p);
  return p;
}

void wake_for_ring(world& w) noexcept {
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;  // [wake-up] S3
  if (w.spinning.load(std::memory_order_relaxed) != 0) return;
  wake_one(w);
}

void wake_for_next(world& w) noexcept {
  // [wake-up] S3, seq_cst like the pusher's exchange, which is no fence for relaxed loads
  if (w.idle_ps.load(std::memory_order_seq_cst) == 0) return;
  if (w.spinning.load(std::memory_order_seq_cst) != 0) return;  // [wake-up]
  if (w.next_watched.load(std::memory_order_seq_cst)) return;       // [wake-up] S3 for I4
  wake_one(w);
}

void timer_came_first(world& w, std::int64_t due) noexcept {
  bool wake_timer_waiter = false;
  M* timer_waiter = nullptr;
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;  // its own P checks its timers at every switch
  {
    const std::lock_guard hold(w.lock);
    timer_waiter = w.timer_waiter;
    if (timer_waiter && timer_waiter->is_idle && w.timer_waiter_until <= due) return;
    wake_timer_waiter = timer_waiter && timer_waiter->is_idle;
    if (wake_timer_waiter) {
      unlist_locked(w, timer_waiter);
      timer_waiter->p = nullptr;
    }
  }
  if (wake_timer_waiter) wake_m(timer_waiter);  // checks the timers again before it sleeps
  else wake_for_next(w);
}

bool m_available_approx(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  return w.idle_ms > 0 || w.ms < w.most_ms;
}

namespace {

M* take_idle_m(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  return take_idle_m_locked(w);
}

// At the thread limit. An M that has released its P, and is not in the idle list yet, is there
// soon. Null if none comes, or the world ends.
M* wait_for_idle_m(world& w) noexcept {
  constexpr std::int64_t patience_ns = 200'000'000;
  constexpr timespec pause{0, 100'000};
  const std::int64_t until = now_ns() + patience_ns;
  do {
    nanosleep(&pause, nullptr);
    if (M* m = take_idle_m(w)) return m;
  } while (!w.stopping.load(std::memory_order_relaxed) && now_ns() < until);
  return nullptr;
}

}  // namespace

void start_m(world& w, P* p, thread_need need) {
  M* m = take_idle_m(w);
  if (!m) {
    if (new_m(w, p, thread_need::optional)) return;
    if (need == thread_need::certain) {
      m = wait_for_idle_m(w);
      if (!m && !w.stopping.load(std::memory_order_relaxed) && new_m(w, p, thread_need::certain)) return;
    }
  }
  if (!m) {
    {
      const std::lock_guard hold(w.lock);
      push_idle_p_locked(w, p);
    }
    one_less_spins(w);  // [wake-up] T1; every M runs, and checks at T3 when it finds nothing to run
    return;
  }
  w.wakeups.fetch_add(1, std::memory_order_relaxed);
  m->spinning = true;
  m->p = p;
  wake_m(m);
}

namespace {

bool timer_waiter_sleeps(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  return w.timer_waiter && w.timer_waiter->is_idle;
}

// m, which was perhaps the timer waiter, has work now, and no M sleeps for the timers: an idle P
// does not run its own, and a fiber may compute for long. The monitor serves the timers that are
// due only after its next look: usually m has its role again by then.
bool post_is_vacant(M* m) {
  world& w = *m->w;
  std::int64_t earliest = never;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (const P* p = w.p_at(i); p != m->p || m->left_timer) earliest = std::min(earliest, p->timers.earliest());
  m->left_timer = false;
  if (earliest == never) return false;
  const std::int64_t look = w.monitor_looks_at.load(std::memory_order_seq_cst);  // [post] Y2
  if (look != never && earliest - look_takes_ns > std::max(look, now_ns())) return false;
  return !timer_waiter_sleeps(w);
}

// Note [post]: a timer that m left to the monitor is seen there
//      m                                  monitor
//   Y1 spinning -= 1                   X1 monitor_looks_at = its next look
//   Y2 look at monitor_looks_at        X2 an M spins? then the timer is left to that M
// All seq_cst: if Y2 still sees the time of the look that is under way, X2 sees Y1.

}  // namespace

void stop_spinning_with_work(M* m) {
  world& w = *m->w;
  m->spinning = false;
  one_less_spins(w);  // [wake-up] T1, [post] Y1
  fence_after_rmw();  // T2
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;
  const bool work_elsewhere = any_work_approx(w, m->quiet ? m->p : nullptr);  // a quiet M's own ring: I4
  if (work_elsewhere || (!m->quiet && post_is_vacant(m))) {
    wake_for_ring(w);  // [wake-up] T3
  } else {
    const int made = w.ps_to_look_at();
    for (int i = 0; i < made; ++i)  // I4: a pusher to `next` may have relied on this M
      if (w.p_at(i) != m->p && w.p_at(i)->queue.peek_next()) {
        wake_for_next(w);
        break;
      }
  }
}

void ensure_timer_waiter(world& w) noexcept {
  if (w.spinning.load(std::memory_order_seq_cst) != 0) return;  // [post] X2
  if (!timer_waiter_sleeps(w)) wake_for_ring(w);
}

void leave_timers_with_work(M* m) {
  if (m->w->idle_ps.load(std::memory_order_relaxed) > 0 && post_is_vacant(m)) wake_for_ring(*m->w);
  m->left_timer = false;
}

void wake_everybody(world& w) noexcept {
  for (;;) {
    M* m = nullptr;
    {
      const std::lock_guard hold(w.lock);
      m = take_idle_m_locked(w);
    }
    if (!m) break;
    m->p = nullptr;
    wake_m(m);
  }
  const std::lock_guard hold(w.lock);
  for (M* m : w.all_ms)
    if (m->waits_for_locked_g) wake_m(m);
}

}  // namespace weft::detail
