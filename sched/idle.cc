// Idle and spinning: who looks for work, and who must be woken.
//
// A program with work left must not have every M asleep, and one without work must not burn a
// core. A push is too frequent to take a lock for that, so a push pays one fence and some loads,
// and the Ms that run dry pay the rest.
//
// Waking an idle core costs 25 us, and most wake-ups for a `next` slot find nothing: the pusher parks
// at once and its own P goes on with that fiber. So when an M has looked in vain while others are
// busy, it stays as the *sentinel*: it sleeps with a deadline, 50 us growing to 1 ms, and then looks
// whether a `next` slot has not moved since. While it does (world::watching), a push to `next` wakes
// nobody; one to a ring does. The sentinel is also the one M that sleeps for timers and I/O.
//
// Refused: handing the new fiber straight to an idle P (the pusher often parks at once and its own P
// idles); waking on every push (most wakers find nothing); waking never for `next` (the pusher may
// compute for a second).
//
// Invariants:
//   I1  world::spinning is the number of Ms whose `spinning` is set, and of those being woken to spin.
//   I2  An idle M owns no P; every P in use is owned by one M, is idle, or is being handed over.
//   I3  If something stands in a ring or the global queue and a P is idle, some M spins or a wake-up is in flight.
//   I4  If something stands in a `next` slot and a P is idle: as I3, or the sentinel looks within 1 ms.
//
// Note [wake-up]: no push is ever stranded
//      pusher                              M that has looked in vain
//   S1 put r in a queue                 T1 its P to the idle list, spinning -= 1
//   S2 fence(seq_cst)                   T2 fence(seq_cst)
//   S3 no idle P, or somebody           T3 look into every queue once more;
//      spins? done. Else wake one          found? take a P and spin again
// The two fences have one order. S2 first: T3 sees S1. T2 first: S3 sees T1, and wakes. Somebody acts.
// An M that stops spinning because it found work runs T1-T3 too (without the P), and at T3 wakes
// another: a pusher may have relied on it.
#include "runtime/futex.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

constexpr std::int64_t watch_ns_min = 50'000, watch_ns_max = 1'000'000;

// Takes one M off the idle list, the sentinel last: its post would have to be filled again.
M* take_idle_m_locked(world& w) noexcept {
  M* m = w.idle_m_list;
  if (m) {
    w.idle_m_list = m->next_idle;
  } else if (w.sentinel && w.sentinel->is_idle) {
    m = w.sentinel;
  } else {
    return nullptr;
  }
  if (m == w.sentinel) {
    w.sentinel = nullptr;
    w.watching.store(false, std::memory_order_relaxed);
  }
  m->is_idle = false;
  --w.idle_ms;
  return m;
}

void unlist_locked(world& w, M* m) noexcept {
  for (M** at = &w.idle_m_list; *at; at = &(*at)->next_idle)
    if (*at == m) {
      *at = m->next_idle;
      break;
    }
  if (w.sentinel == m) {
    w.sentinel = nullptr;
    w.watching.store(false, std::memory_order_relaxed);
  }
  m->is_idle = false;
  --w.idle_ms;
}

// Spends the right to start one spinning M, if there is an idle P for it.
void wake_one(world& w) noexcept {
  int none = 0;
  // [wake-up] one wake-up in flight at a time: whoever wins makes the M that will spin
  if (!w.spinning.compare_exchange_strong(none, 1, std::memory_order_seq_cst, std::memory_order_relaxed)) return;
  P* p = nullptr;
  {
    const std::lock_guard hold(w.lock);
    if (!w.stopping.load(std::memory_order_relaxed)) p = take_idle_p_locked(w);
  }
  if (!p) {
    w.spinning.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  start_m(w, p);
}

std::int64_t earliest_timer(const world& w) noexcept {
  std::int64_t t = never;
  const int procs = w.procs.load(std::memory_order_relaxed);
  for (int i = 0; i < procs; ++i) {
    const std::int64_t e = w.p_at(i)->timers.earliest();
    if (e < t) t = e;
  }
  return t;
}

// A `next` slot that holds the same thing in the same turn as when it was last looked at.
class stale_next {
 public:
  bool found(const world& w) noexcept {
    bool stale = false;
    const int procs = w.procs.load(std::memory_order_relaxed);
    if (seen_.size() < static_cast<std::size_t>(procs)) seen_.resize(static_cast<std::size_t>(procs));
    for (int i = 0; i < procs; ++i) {
      const P* p = w.p_at(i);
      const look now{p->queue.peek_next(), p->turn.load(std::memory_order_relaxed)};
      look& before = seen_[static_cast<std::size_t>(i)];
      if (now.next && now.next == before.next && now.turn == before.turn) stale = true;
      before = now;
    }
    return stale;
  }

 private:
  struct look {
    const runnable* next = nullptr;
    std::uint32_t turn = 0;
  };
  std::vector<look> seen_;
};

// While many timers are armed, wake-ups for them closer together than this are served by one: at
// 10,000 sleepers that is a tenth of the CPU for 50 us of lateness. A few timers are never late for it.
constexpr std::int64_t crowd_ns = 100'000;
constexpr std::size_t crowd = 64;

std::int64_t not_too_soon_after_the_last(const world& w, std::int64_t until) noexcept {
  if (until == never) return never;
  std::size_t armed = 0;
  const int procs = w.procs.load(std::memory_order_relaxed);
  for (int i = 0; i < procs; ++i) armed += w.p_at(i)->timers.size_approx();
  if (armed < crowd) return until;
  const std::int64_t soonest = w.last_timer_wake.load(std::memory_order_relaxed) + crowd_ns;
  return until < soonest ? soonest : until;
}

}  // namespace

bool sleep_m(M* m, std::int64_t deadline) {
  // [note] what the waker gave us
  while (m->note.load(std::memory_order_acquire) == 0)
    if (!futex_wait(m->note, 0, deadline)) break;
  return m->note.exchange(0, std::memory_order_acquire) != 0;  // [note]
}

void wake_m(M* m) noexcept {
  m->note.store(1, std::memory_order_release);  // [note] the P and whatever else it was given
  futex_wake(m->note, 1);
}

// Note [note]: a waker writes the M's fields, then releases the note; the M acquires the note first.

void release_p_locked(world& w, P* p) noexcept {
  p->idle.store(true, std::memory_order_relaxed);
  p->next_idle = w.idle_p_list;
  w.idle_p_list = p;
  w.idle_ps.store(w.idle_ps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

P* take_idle_p_locked(world& w) noexcept {
  P* p = w.idle_p_list;
  if (!p) return nullptr;
  w.idle_p_list = p->next_idle;
  p->idle.store(false, std::memory_order_relaxed);
  w.idle_ps.store(w.idle_ps.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return p;
}

void acquire_p(M* m, P* p) noexcept {
  m->p = p;
  m->solo.store(solo_now(*m->w), std::memory_order_relaxed);
}

void wake_for_ring(world& w) noexcept {
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;  // [wake-up] S3
  if (w.spinning.load(std::memory_order_relaxed) != 0) return;
  wake_one(w);
}

void wake_for_next(world& w) noexcept {
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;  // [wake-up] S3
  if (w.spinning.load(std::memory_order_relaxed) != 0) return;
  if (w.watching.load(std::memory_order_relaxed)) return;  // I4
  wake_one(w);
}

void timer_came_first(world& w, std::int64_t due) noexcept {
  bool wake_sentinel = false;
  M* sentinel = nullptr;
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;  // its own P looks at every switch
  {
    const std::lock_guard hold(w.lock);
    sentinel = w.sentinel;
    if (sentinel && sentinel->is_idle && w.sentinel_until <= due) return;
    wake_sentinel = sentinel && sentinel->is_idle;
    if (wake_sentinel) {
      unlist_locked(w, sentinel);
      sentinel->p = nullptr;
    }
  }
  if (wake_sentinel) wake_m(sentinel);  // looks at the timers anew before it sleeps again
  else wake_for_next(w);
}

void start_m(world& w, P* p) {
  M* m = nullptr;
  {
    const std::lock_guard hold(w.lock);
    m = take_idle_m_locked(w);
  }
  if (!m) {
    new_m(w, p);
    return;
  }
  w.wakeups.fetch_add(1, std::memory_order_relaxed);
  m->spinning = true;
  m->p = p;
  wake_m(m);
}

namespace {

// m, which was perhaps the sentinel, has work now, and no M sleeps for the timers of the other Ps:
// an idle one is of no use to itself, and a busy one may be in a fiber that computes for long.
bool post_is_vacant(const M* m) {
  world& w = *m->w;
  const int procs = w.procs.load(std::memory_order_relaxed);
  bool unattended = false;
  for (int i = 0; i < procs && !unattended; ++i) {
    const P* p = w.p_at(i);
    unattended = p != m->p && p->timers.earliest() != never;
  }
  if (!unattended) return false;
  const std::lock_guard hold(w.lock);
  return !w.sentinel || !w.sentinel->is_idle;
}

}  // namespace

void stop_spinning_with_work(M* m) {
  world& w = *m->w;
  m->spinning = false;
  w.spinning.fetch_sub(1, std::memory_order_seq_cst);  // [wake-up] T1 and T2 in one
  if (w.idle_ps.load(std::memory_order_relaxed) == 0) return;
  if (any_work_approx(w) || post_is_vacant(m)) {
    wake_for_ring(w);  // [wake-up] T3
  } else {
    const int procs = w.procs.load(std::memory_order_relaxed);
    for (int i = 0; i < procs; ++i)  // I4: whoever pushed to `next` may have counted on this M
      if (w.p_at(i) != m->p && w.p_at(i)->queue.peek_next()) {
        wake_for_next(w);
        break;
      }
  }
}

namespace {

// Gives the P back. True if there was work after all, and the M has a P again to look for it.
bool release_and_look_again(M* m) {
  world& w = *m->w;
  {
    const std::lock_guard hold(w.lock);
    if (!w.global.empty() || w.stopping.load(std::memory_order_relaxed)) return true;
    release_p_locked(w, m->p);
    m->p = nullptr;
    m->solo.store(false, std::memory_order_relaxed);
  }
  if (m->spinning) {
    m->spinning = false;
    w.spinning.fetch_sub(1, std::memory_order_seq_cst);  // [wake-up] T1
  }
  // An M that was not allowed to spin looks again as well: a pusher may have seen no idle P.
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] T2
  if (!any_work_approx(w)) return false;               // [wake-up] T3
  const std::lock_guard hold(w.lock);
  P* p = take_idle_p_locked(w);
  if (!p) return false;
  acquire_p(m, p);
  m->spinning = true;
  w.spinning.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// A timer is due, I/O has come, or a fiber sits in a `next` slot: the sentinel needs a P to act.
// True if it got one; it looks for work then.
bool back_to_work(M* m) {
  world& w = *m->w;
  const std::lock_guard hold(w.lock);
  P* p = take_idle_p_locked(w);
  if (!p) return false;
  acquire_p(m, p);
  m->spinning = true;
  w.spinning.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace

void idle(M* m) {
  if (!release_and_look_again(m)) idle_without_p(m);
}

void idle_without_p(M* m) {
  world& w = *m->w;
  std::int64_t watch_ns = watch_ns_min;
  stale_next slots;
  for (;;) {
    std::int64_t until = never;
    bool on_watch = false, verdict = false;
    {
      const std::lock_guard hold(w.lock);
      if (w.stopping.load(std::memory_order_relaxed)) return;
      if (!w.global.empty()) {
        if (P* p = take_idle_p_locked(w)) {
          acquire_p(m, p);
          return;
        }
      }
      const bool somebody_busy = w.idle_ps.load(std::memory_order_relaxed) < w.procs.load(std::memory_order_relaxed);
      until = not_too_soon_after_the_last(w, earliest_timer(w));
      if (somebody_busy) {
        on_watch = true;
        const std::int64_t look = now_ns() + watch_ns;
        if (look < until) until = look;
      }
      m->is_idle = true;
      ++w.idle_ms;
      const bool no_sentinel = !w.sentinel || !w.sentinel->is_idle;
      if (until != never && (no_sentinel || until < w.sentinel_until)) {
        if (!no_sentinel) {  // the old one sleeps on as a plain idle M
          w.sentinel->next_idle = w.idle_m_list;
          w.idle_m_list = w.sentinel;
        }
        w.sentinel = m;
        w.sentinel_until = until;
        w.watching.store(on_watch, std::memory_order_relaxed);
      } else {
        until = never;
        m->next_idle = w.idle_m_list;
        w.idle_m_list = m;
        verdict = no_sentinel && all_asleep_locked(w);
      }
    }
    if (verdict) deadlock_verdict(w);
    if (sleep_m(m, until)) {
      if (m->p) acquire_p(m, m->p);
      if (m->p || w.stopping.load(std::memory_order_relaxed)) return;
      continue;  // only to look at the timers anew
    }
    {
      const std::lock_guard hold(w.lock);
      if (m->is_idle) unlist_locked(w, m);
      else until = never;  // somebody is waking us just now
    }
    if (until == never) {
      sleep_m(m, never);
      if (m->p) acquire_p(m, m->p);
      if (m->p || w.stopping.load(std::memory_order_relaxed)) return;
      continue;
    }
    const std::int64_t now = now_ns();
    if (earliest_timer(w) <= now) {
      if (!back_to_work(m)) {  // every P is busy and looks after its own
        watch_ns = watch_ns_max;
        continue;
      }
      w.last_timer_wake.store(now, std::memory_order_relaxed);
      ready_list due;
      run_due_timers_everywhere(now, due);
      push_ready_list(m, due);
      return;
    }
    if (slots.found(w) && back_to_work(m)) return;
    watch_ns = watch_ns * 2 < watch_ns_max ? watch_ns * 2 : watch_ns_max;
  }
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
