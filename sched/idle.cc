// Idle and spinning: which M searches for work, and which M must be woken.
//
// While fibers are runnable, not every M may sleep. A program without work must not use CPU. A push
// is too frequent to take a lock for this, so a push costs one fence and some loads. The Ms that
// find nothing to run do the rest.
//
// To wake an idle core takes 25 us, and most wake-ups for a `next` slot find nothing: the pusher
// parks immediately, and its own P runs that fiber. So an M that has found nothing while others are
// busy becomes the *timer waiter*. It sleeps with a deadline, from 50 us up to 1 ms, and then
// checks for a `next` slot that has not moved since its last check. While it does this
// (world::next_watched), a push to `next` wakes no M. A push to a ring does. The timer waiter is
// also the one M that sleeps for timers. After a timer has woken it, no M has its role if no other
// timer is due before the monitor's next look. The monitor gives an M the role if that is
// necessary.
//
// While fibers wait for descriptors and a P is idle, one idle M sleeps in the poller: the timer
// waiter if there is one, else the next M that becomes idle. The others sleep on a futex. If that M
// gets work, no M has its role until another M becomes idle: running Ms poll in the meantime. With
// every P busy no M sleeps in the poller: it could only take completions away from running Ms, at
// the price of one core wake-up each.
//
// Crowded timers are the other case in which a wake-up costs more than the work: a batch of a dozen
// short turns ends before a second core runs. While batches are known to be short, the M that woke
// for a batch runs it alone (M::quiet). One idle M, the *timer backup*, checks within 1 ms that the
// batch was short.
//
// Refused: handing the new fiber directly to an idle P (often the pusher parks immediately and its
// own P becomes idle); waking on every push (most woken Ms find nothing); never waking for `next`
// (the pusher may compute for a second).
//
// Invariants:
//   I1  world::spinning is the number of Ms whose `spinning` is set, and of Ms being woken to spin.
//   I2  An idle M owns no P; every P in use is owned by one M, is idle, or is being handed over.
//   I3  If a ring or the global queue holds a runnable and a P is idle, some M spins or a wake-up
//       is in flight. A fiber that yields, is displaced from `next` or is queued at the thread
//       limit may wait for the timer waiter's look instead, as in I4.
//   I4  If a `next` slot holds a runnable, or the ring of an M that is quiet, and a P is idle: as
//       I3, or the timer waiter or the timer backup checks within 1 ms.
//   I5  If a fiber waits for a descriptor, some M is in the poller, or holds a P and polls, or is
//       on its way to do so.
//   I6  If a timer is pending and its P is idle, or is long in one turn: the timer waiter wakes for
//       the timer, or an M is being woken to do so, or the monitor looks before the timer is due.
//
// Note [wake-up]: no push is ever stranded
//      pusher                              M that has found nothing
//   S1 put r in a queue                 T1 its P to the idle list, spinning -= 1
//   S2 fence(seq_cst)                   T2 fence(seq_cst)
//   S3 no idle P, or an M spins?        T3 check every queue again;
//      done. Else wake one                 work found? take a P and spin again
// The two fences have one order. S2 first: T3 sees S1. T2 first: S3 sees T1, and wakes an M. In
// both cases an M acts. An M that stops spinning because it found work runs T1-T3 too (without
// releasing its P), and at T3 wakes another: a pusher may have relied on it.
#include "sched/idle.h"

#include "sched/deadlock.h"
#include "sched/diagnosis_calls.h"
#include "sched/maxprocs.h"
#include "sched/ready.h"
#include "sched/steal.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

constexpr std::int64_t watch_ns_min = 50'000, watch_ns_max = 1'000'000;
// The time until another core runs.
constexpr std::int64_t waking_ns = 30'000;

std::int64_t earliest_timer(const world& w) noexcept {
  std::int64_t t = never;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i) {
    const std::int64_t e = w.p_at(i)->timers.earliest();
    if (e < t) t = e;
  }
  return t;
}

// A `next` slot that holds the same runnable in the same turn as at the previous check.
class stale_next {
 public:
  bool found(const world& w) noexcept {
    bool stale = false;
    const int made = w.ps_to_look_at();
    if (seen_.size() < static_cast<std::size_t>(made)) seen_.resize(static_cast<std::size_t>(made));
    for (int i = 0; i < made; ++i) {
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

// While many timers are armed, one wake-up serves all wake-ups that are closer together than this.
// At 10,000 sleepers that saves 19 of 20 wake-ups, and a timer fires up to 190 us late. A few
// timers are never late for it.
constexpr std::int64_t crowd_ns = 190'000;
constexpr std::size_t crowd = 64;

bool timers_crowd(const world& w) noexcept {
  std::size_t armed = 0;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i) armed += w.p_at(i)->timers.size_approx();
  return armed >= crowd;
}

std::int64_t not_too_soon_after_the_last(const world& w, std::int64_t until) noexcept {
  if (until == never || !timers_crowd(w)) return until;
  const std::int64_t soonest = w.last_timer_wake.load(std::memory_order_relaxed) + crowd_ns;
  return until < soonest ? soonest : until;
}

// Releases the P. Returns true if there is work after all; the M has a P again then, and searches.
bool release_and_look_again(M* m) {
  world& w = *m->w;
  {
    const std::lock_guard hold(w.lock);
    if (!w.global.empty() || w.stopping.load(std::memory_order_relaxed)) return true;
    push_idle_p_locked(w, detach_p(m));
  }
  if (m->spinning) {
    m->spinning = false;
    one_less_spins(w);  // [wake-up] T1
  }
  // An M that was not allowed to spin checks too: a pusher may have seen no idle P.
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] T2
  if (!any_work_approx(w)) return false;  // [wake-up] T3
  const std::lock_guard hold(w.lock);
  P* p = acquire_idle_p_locked(w);
  if (!p) return false;
  acquire_p(m, p);
  m->spinning = true;
  w.spinning.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// A timer is due, I/O is ready, or a fiber stays in a `next` slot: the timer waiter needs a P to
// act. Returns true if it got one; the M searches for work then.
bool back_to_work(M* m) {
  world& w = *m->w;
  const std::lock_guard hold(w.lock);
  P* p = acquire_idle_p_locked(w);
  if (!p) return false;
  acquire_p(m, p);
  m->spinning = true;
  w.spinning.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// The role in which an M idles: the timer waiter sleeps until there is work for it, the timer
// backup too while timers crowd, the others until they are woken.
enum class idle_role { plain, timer_backup, timer_waiter };
struct idle_wait {
  idle_role as = idle_role::plain;
  std::int64_t until = never;
  bool deadlock = false;
  poller* net = nullptr;  // where it sleeps
};

bool needs_timer_backup_locked(const world& w) noexcept {
  return w.timer_backups.load(std::memory_order_relaxed) == 0 && timers_crowd(w) &&
         now_ns() - w.last_timer_wake.load(std::memory_order_relaxed) < 2 * watch_ns_max;
}

// m is idle from here on. With the world's lock held.
idle_wait take_role_locked(M* m, std::int64_t watch_ns) {
  world& w = *m->w;
  m->left_timer = false;
  std::int64_t until = not_too_soon_after_the_last(w, earliest_timer(w));
  const bool somebody_busy = some_p_is_held_locked(w);
  if (somebody_busy) {
    const std::int64_t look = now_ns() + watch_ns;
    if (look < until) until = look;
  }
  m->is_idle = true;
  ++w.idle_ms;
  poller* net = w.poller_or_null();
  if (net && !w.io_m && w.idle_ps.load(std::memory_order_relaxed) > 0 && net->has_waiters()) w.io_m = m;
  else net = nullptr;
  const bool no_timer_waiter = !w.timer_waiter || !w.timer_waiter->is_idle;
  if (until != never && (no_timer_waiter || until < w.timer_waiter_until)) {
    if (!no_timer_waiter && w.timer_waiter != w.io_m) {  // the old one sleeps on as a plain idle M
      w.timer_waiter->next_idle = w.idle_m_list;
      w.idle_m_list = w.timer_waiter;
    }
    w.timer_waiter = m;
    w.timer_waiter_until = until;
    w.next_watched.store(somebody_busy, std::memory_order_relaxed);
    return {idle_role::timer_waiter, until, false, net};
  }
  if (net) return {idle_role::plain, until, false, net};
  m->next_idle = w.idle_m_list;
  w.idle_m_list = m;
  if (needs_timer_backup_locked(w)) {
    m->is_timer_backup = true;
    w.timer_backups.store(1, std::memory_order_relaxed);
    return {idle_role::timer_backup, now_ns() + watch_ns_max};
  }
  const asleep all = no_timer_waiter ? all_asleep_locked(w) : asleep::no;
  return {idle_role::plain, all == asleep::perhaps ? now_ns() + recheck_ns : never, all == asleep::yes};
}

// Sleeps in its role. Returns true if it is time to check for work. Else another thread has woken
// m, to give it a P, to end the world, or only to make it take a role again.
bool wait_in_role(M* m, const idle_wait& at, ready_list& ready) {
  const bool woken = at.net ? poll_m(m, *at.net, at.until, ready) : sleep_m(m, at.until);
  if (!woken || at.net) {
    const std::lock_guard hold(m->w->lock);
    const bool still_idle = m->is_idle;
    if (still_idle) unlist_locked(*m->w, m);
    if (at.net) m->w->io_m = nullptr;
    if (still_idle) return true;
  }
  if (!woken) sleep_m(m, never);  // another thread is waking m now
  if (m->p) acquire_p(m, m->p);
  return false;
}

// Timers are due: runs them if there is a P for it.
bool serve_timers(M* m, std::int64_t now) {
  if (!back_to_work(m)) return false;  // every P is busy and serves its own timers
  m->w->last_timer_wake.store(now, std::memory_order_relaxed);
  ready_list due;
  run_due_timers_everywhere(now, due);
  push_batch(m, due, now);
  return true;
}

// Descriptors of fibers are ready: m runs these fibers if there is a P. Returns true if m has a P.
bool serve_io(M* m, ready_list& ready) {
  if (m->p || back_to_work(m)) {
    push_polled(m, ready);
    return true;
  }
  push_global_list(*m->w, ready);
  return false;
}

}  // namespace

void push_batch(M* m, ready_list& due, std::int64_t now) {
  if (due.empty()) return;
  world& w = *m->w;
  if (m->batch_began == 0) {
    m->batch_began = now;
    m->batch_first_turn = m->p->turn.load(std::memory_order_relaxed);
  }
  const auto turns = static_cast<std::int64_t>(due.size() + m->p->queue.ring_size_approx());
  m->quiet = w.timer_backups.load(std::memory_order_relaxed) > 0 &&
             turns * w.turn_cost_ns.load(std::memory_order_relaxed) < waking_ns;
  push_fired(m, due, m->quiet ? wake_policy::none : wake_policy::if_worth_it);
  if (!m->quiet) m->batch_began += now_ns() - now;  // waking an M is no part of a turn
}

void end_batch(M* m) {
  const std::int64_t turns = m->p->turn.load(std::memory_order_relaxed) - m->batch_first_turn;
  const std::int64_t spent = now_ns() - m->batch_began;
  auto& cost = m->w->turn_cost_ns;
  const std::int64_t before = cost.load(std::memory_order_relaxed);
  constexpr std::int64_t memory = 16;  // turns: a batch weighs as much as it has turns
  cost.store((before * memory + spent) / (memory + turns), std::memory_order_relaxed);
  m->batch_began = 0;
  m->quiet = false;
}

void idle(M* m) {
  if (!release_and_look_again(m)) idle_without_p(m);
}

void pass_on(ready_list& fetched) {
  const world_scope next(nullptr);
  ready_list alive;
  while (runnable* r = fetched.pop())
    if (!(std::atomic_ref(r->flags).load(std::memory_order_relaxed) & abandoned)) alive.push(r);
  if (!next.world_or_null()) return;
  push_global_list(*next.world_or_null(), alive);
  if (poller* net = next.world_or_null()->poller_or_null()) net->wake();
}

void idle_without_p(M* m) {
  world& w = *m->w;
  std::int64_t watch_ns = watch_ns_min;
  stale_next slots;
  for (;;) {
    idle_wait at;
    {
      const std::lock_guard hold(w.lock);
      if (w.stopping.load(std::memory_order_relaxed) || m->ends) return;
      if (!w.global.empty()) {
        if (P* p = acquire_idle_p_locked(w)) {
          acquire_p(m, p);
          return;
        }
      }
      at = take_role_locked(m, watch_ns);
    }
    if (at.deadlock) diagnosis.deadlock(w);
    ready_list ready;
    const bool look_around = wait_in_role(m, at, ready);
    if (at.net && w.stopping.load(std::memory_order_relaxed)) pass_on(ready);
    if (!ready.empty() && !w.stopping.load(std::memory_order_relaxed) && serve_io(m, ready)) return;
    if (!look_around) {
      if (m->p || m->ends || w.stopping.load(std::memory_order_relaxed)) return;
      continue;
    }
    const std::int64_t now = now_ns();
    const std::int64_t patience = at.as == idle_role::timer_backup ? crowd_ns : 0;
    if (earliest_timer(w) <= now - patience) {
      if (serve_timers(m, now)) return;
      watch_ns = watch_ns_max;
      continue;
    }
    const bool left_alone = slots.found(w) || any_work_approx(w);
    if (left_alone && back_to_work(m)) return;
    watch_ns = watch_ns * 2 < watch_ns_max ? watch_ns * 2 : watch_ns_max;
  }
}

}  // namespace weft::detail
