// Which Ps stay in one turn, and which work waits for them.
//
// A fiber that sleeps in the kernel has made a call without blocking(): if it is seen twice, 50 us
// apart, its P is retaken. A fiber that computes keeps the P for a time slice. Neither loses it
// while no work waits. One look costs some microseconds. So the monitor looks seldom while no P has
// to be retaken, and often for a short time after it has retaken one from a call. While work waits,
// it looks at a fiber that computes when its slice ends, and until then the more seldom the longer
// the fiber has computed: in a virtual machine each look costs 30 to 50 us for the wake-up alone.
//
// Refused: looking every 20 us, as Go's monitor does after each wake-up, which costs more than it
// gains while most calls are shorter than that.
#include "sched/p_monitor.h"

#include <algorithm>
#include <cstdio>
#include <mutex>

#include "runtime/clock.h"
#include "runtime/sanitizer.h"
#include "sched/blocking.h"
#include "sched/coarse_clock.h"
#include "sched/diagnosis_calls.h"
#include "sched/g_cache.h"
#include "sched/retake.h"
#include "sched/retire_ms.h"
#include "sched/thread_state.h"
#include "sched/threads.h"
#include "sched/timeline.h"
#include "sched/wake.h"

namespace weft::detail {
namespace {

constexpr std::int64_t us = 1000, ms = 1000 * us;
constexpr std::int64_t delay_min = 1 * ms, delay_max = 5 * ms;
constexpr std::int64_t delay_max_with_queue = 2 * ms;  // a call that blocks now delays queued fibers
constexpr std::int64_t delay_max_computing = 4 * ms;   // the same of a fiber that has computed so long
constexpr std::int64_t second_look = 50 * us;
constexpr std::int64_t chaos_look = 50 * us;
constexpr std::int64_t slice = 10 * ms * (under_tsan ? 20 : under_asan ? 4 : 1);  // the same work in each build
constexpr std::int64_t tidy_every = 100 * ms;
constexpr std::int64_t delay_tidying = 2 * ms;  // while nothing else is to be done
constexpr std::size_t stacks_per_look = 64;     // 0.1 to 1.3 ms

// A fiber that could run now and has no P, or an event that only an M with a P can find.
bool somebody_waits(const world& w, std::int64_t now) noexcept {
  if (w.global_size.load(std::memory_order_relaxed) > 0) return true;
  if (const poller* net = w.poller_or_null(); net && net->has_waiters()) return true;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (const P* p = w.p_at(i); !p->queue.empty_approx() || p->timers.earliest() <= now) return true;
  return false;
}

// Until the next look at a fiber that has computed for so long.
constexpr std::int64_t delay_computing(std::int64_t computed) noexcept {
  const std::int64_t slice_left = computed < slice ? slice - computed : delay_min;
  return std::min(std::clamp(computed, delay_min, delay_max_computing), slice_left);
}

// Whether an M is available for a retaken P: a retake must not end the process at the thread limit.
bool can_hand_off(world& w) noexcept {
  const std::lock_guard hold(w.lock);
  return w.idle_ms > 0 || w.ms < w.most_ms;
}

}  // namespace

p_monitor::p_monitor(world& w) noexcept
    : w_(w), began_(now_ns()), delay_(delay_min), trace_at_(w.debug.schedtrace_ms > 0 ? began_ : never) {}

void p_monitor::woken() noexcept {
  delay_ = delay_min;
  quiet_looks_ = 0;
}

bool p_monitor::any_p_held() const noexcept {
  const int made = w_.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w_.p_at(i)->holder.load(std::memory_order_relaxed)) return true;
  return false;
}

std::int64_t p_monitor::look(std::int64_t now) {
  set_coarse_clock(w_, now);
  trace(now);
  const bool waits = (somebody_waits(w_, now) || w_.debug.chaos) && m_available_approx(w_);
  standing s = standing::moving;
  {
    const std::lock_guard hold(w_.retaking);
    const int made = w_.ps_to_look_at();
    seen_.resize(static_cast<std::size_t>(made));
    active_ = call_taken_ = false;
    computing_delay_ = delay_max_computing;
    for (int i = 0; i < made; ++i) s = std::max(s, look_at(w_.p_at(i), seen_[static_cast<std::size_t>(i)], now, waits));
    quiet_looks_ = active_ ? 0 : quiet_looks_ + 1;
    if (update_cpu_limit(w_, now, at_rest())) quiet_looks_ = 0;
  }
  if (call_taken_) delay_ = second_look;  // where one call has blocked, others may
  else if (!taken_.empty()) delay_ = delay_min;
  hand_off_what_was_taken();
  const std::int64_t until_trace = trace_at_ == never ? never : std::max<std::int64_t>(trace_at_ - now, 0);
  const std::int64_t delay = std::min(next_look(s, waits, tidy_up(now)), until_trace);
  leave_no_timer_alone(now, delay == never ? never : now + delay);
  if (delay >= delay_min) rest_some_stacks();
  return delay;
}

bool p_monitor::at_rest() const noexcept {
  constexpr int quiet = 4;  // with the growing delays more than 10 ms in all, or tickers would wake it each time
  return quiet_looks_ >= quiet;
}

// Until the next look no other thread may ensure that an M sleeps for the timers. At rest, none
// ever does: fibers may be computing, but their Ms have lost their Ps.
void p_monitor::leave_no_timer_alone(std::int64_t now, std::int64_t next) {
  w_.monitor_looks_at.store(at_rest() ? 0 : next, std::memory_order_seq_cst);  // [post] X1
  bool alone = false;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const std::int64_t earliest = w_.p_at(static_cast<int>(i))->timers.earliest();
    const bool goes_on = seen_[i].m && seen_[i].since == now;  // and serves its own timers
    const bool soon = at_rest() || earliest - look_takes_ns <= next;
    alone = alone || (earliest != never && !goes_on && soon);
  }
  if (alone) ensure_timer_waiter(w_);
}

std::int64_t p_monitor::next_look(standing s, bool waits, bool tidy) noexcept {
  if (s == standing::asleep) return second_look;
  const bool limited = w_.limit.epoch.load(std::memory_order_relaxed) != 0;  // what sleeps may compute again
  if (at_rest()) return unused_gs_ > 0 ? delay_tidying : tidy && !limited ? never : tidy_every;
  if (w_.debug.chaos && active_) return chaos_look;
  const std::int64_t most = !waits ? delay_max : s == standing::busy ? computing_delay_ : delay_max_with_queue;
  const std::int64_t delay = std::min(delay_, most);
  delay_ = 2 * delay;
  return delay;
}

// With world::retaking held.
p_monitor::standing p_monitor::look_at(P* p, memory& before, std::int64_t now, bool waits) {
  // The holder first: an M that got the P in the turn that is read then, or before, has finished
  // acquire_p().
  M* m = p->holder.load(std::memory_order_acquire);                   // [retake]
  const std::uint32_t turn = p->turn.load(std::memory_order_acquire);  // [retake]
  active_ = active_ || m || turn != before.turn;
  if (!m || m != before.m || turn != before.turn) before = {m, turn, now, false};
  const bool overdue = m && waits && before.since != now && now - before.since >= slice;
  if (m && m->in_runtime.load(std::memory_order_relaxed) && overdue) mark_overdue(m, turn);
  if (!m || m->in_runtime.load(std::memory_order_relaxed)) return standing::moving;
  const standing awake = before.since == now ? standing::moving : standing::busy;
  if (!waits) return awake;
  const bool sleeps = asleep_in_kernel(m->tid);
  const bool take = w_.debug.chaos || (sleeps ? before.slept : now - before.since >= slice);
  if (take) {  // no memory may be missing once it is taken
    taken_.reserve(taken_.size() + 1);
    w_.without_p.reserve(w_.without_p.size() + 1);
  }
  if (take && can_hand_off(w_) && retake_p_locked(w_, p, m, turn)) {
    taken_.push_back(p);
    const std::int64_t cpu = thread_cpu_ns(m->tid), since = now_ns();
    timeline_close(*p, time_point(duration(since)));  // where the stretch without a P begins
    m->without_p = {.since = since, .cpu_then = cpu, .asleep = sleeps, .cpu_seen = cpu, .computed_at = now};
    before = {};
    call_taken_ = call_taken_ || sleeps;
    return standing::moving;
  }
  before.slept = sleeps;
  if (sleeps) return standing::asleep;
  if (overdue) mark_overdue(m, turn);
  if (awake == standing::busy) computing_delay_ = std::min(computing_delay_, delay_computing(now - before.since));
  return awake;
}

void p_monitor::hand_off_what_was_taken() {
  while (!taken_.empty()) {
    P* p = taken_.back();
    taken_.pop_back();  // first: a hand-off may throw std::bad_alloc
    hand_off_p(w_, p, thread_need::optional);
  }
}

// Sees which stacks and threads have not been used for a while. Returns true if none is left.
bool p_monitor::tidy_up(std::int64_t now) {
  if (now < tidy_at_) return tidy_;
  tidy_at_ = now + tidy_every;
  const idle_gs idle = count_idle_gs(*w_.stacks);
  unused_gs_ = idle.unused;
  tidy_ = retire_idle_ms(w_) && idle.all == 0;
  return tidy_;
}

// A hundred thousand stacks take seconds. In one call, no P would be retaken for all that time.
void p_monitor::rest_some_stacks() {
  if (unused_gs_ == 0) return;
  const std::size_t n = std::min(unused_gs_, stacks_per_look);
  unused_gs_ = rest_idle_gs(*w_.stacks, n) == n ? unused_gs_ - n : 0;
}

void p_monitor::trace(std::int64_t now) {
  if (now < trace_at_) return;
  const std::string line = diagnosis.schedtrace_line(w_, now - began_);
  std::fwrite(line.data(), 1, line.size(), stderr);
  trace_at_ = now + w_.debug.schedtrace_ms * ms;
}

}  // namespace weft::detail
