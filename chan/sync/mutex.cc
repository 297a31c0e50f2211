// The slow path of the mutex. The fast path changes state_ only between 0 and `locked`, so any
// other bit sends every caller here.
//
// Note [mutex]: unlock stores state_ with release, lock acquires it. A mutex that is handed over in
// starvation mode passes through ready(), which gives the same order.
//
// The queue's lock is not touched once another caller may hold the mutex without having taken the
// queue's lock: a waiter that has locked may destroy the mutex immediately.
//
// mutex_bounded.cc has the waits with a context or a deadline.
#include <weft/clock.h>
#include <weft/errors.h>
#include <weft/mutex.h>

#include <exception>

#include "runtime/clock.h"
#include "sched/current.h"
#include "sched/retake.h"
#include "sched/simulated.h"

namespace weft {

using namespace detail;

namespace {

constexpr std::int64_t starves_after_ns = 1'000'000;

}  // namespace

// It is busy, or this is a simulation.
bool mutex::try_lock_slow() noexcept {
  if (!in_line.simulated) return false;
  sim_point(sim_op::mutex_lock, this);
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  return s < mutex_locked_bit &&
         // [mutex] as lock()
         state_.compare_exchange_strong(s, s | locked, std::memory_order_acquire, std::memory_order_relaxed);
}

// Was taken from the queue, and does not lock.
void mutex::give_back_wake_up(const waiter& w) {
  state_.fetch_and(~woken, std::memory_order_relaxed);
  if (w.ok) unlock();
}

void mutex::lock_slow() {
  if (in_line.simulated) [[unlikely]] {
    sim_point(sim_op::mutex_lock, this);
  } else if (std::uint32_t s = state_.load(std::memory_order_relaxed); !(s & (locked | starving))) {
    // Unlocked, with fibers in the queue. After a contention each operation comes here until the
    // woken waiter has run. [mutex] the last holder's stores before ours
    if (state_.compare_exchange_strong(s, s | locked, std::memory_order_acquire, std::memory_order_relaxed)) return;
  }
  {
    // A fiber that locks and unlocks inline for a time slice has lost its P to a fiber with which
    // it contends now. It waits for a P before it waits for the mutex: else one of the two always
    // waits to be woken, and no operation stays inline.
    const runtime_call with(this_m(), runtime_call::needs::a_p);
  }
  const waits_for the_holder(&holder_);
  waiter w;
  w.g = self();
  bool was_woken = false;
  std::int64_t began = 0;
  for (;;) {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    const std::uint32_t mine = was_woken ? woken : 0u;
    if (!(s & (locked | starving))) {
      // [mutex] the last holder's stores before ours
      if (state_.compare_exchange_weak(s, (s | locked) & ~mine, std::memory_order_acquire, std::memory_order_relaxed))
        return;
      continue;
    }
    const std::int64_t time = now_ns();
    if (!began) began = time;
    const bool starved = was_woken && time - began > starves_after_ns;
    section hold(queue_lock_);
    s = state_.load(std::memory_order_relaxed);
    for (;;) {
      if (!(s & (locked | starving))) break;  // unlocked in between: try again
      // An unlocked mutex is never in starvation mode with an empty queue, so this wait ends.
      const std::uint32_t queued = waiting | (starved && (s & locked) ? starving : 0u);
      if (state_.compare_exchange_weak(s, (s & ~mine) | queued, std::memory_order_relaxed)) break;
    }
    if (!(s & (locked | starving))) continue;
    w.ok = false;
    if (was_woken) queue_.push_front(&w);
    else queue_.push(&w);
    try {
      park(wait_reason::mutex_lock, hold);
    } catch (...) {  // the end of a simulation
      if (w.queued) queue_.remove(&w);
      give_back_wake_up(w);
      leave_ended_wait();
    }
    if (w.ok) {  // handed over, in starvation mode
      if (now_ns() - began < starves_after_ns || !(state_.load(std::memory_order_relaxed) & waiting))
        state_.fetch_and(~starving, std::memory_order_relaxed);
      return;
    }
    was_woken = true;
  }
}

void mutex::unlock_slow() {
  if (in_line.simulated) [[unlikely]]
    sim_point(sim_op::mutex_unlock, this);
  for (;;) {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    if (!(s & locked)) {
      if (in_line.simulated && std::uncaught_exceptions() > 0) return;  // by the guard of a wait that was ended
      throw panic("sync: unlock of unlocked mutex");
    }
    if (!(s & waiting) || ((s & woken) && !(s & starving))) {
      // No waiter, or a woken waiter has not run yet. [mutex] our stores before the next holder
      if (state_.compare_exchange_weak(s, s & ~(locked | (s & waiting ? 0u : starving)), std::memory_order_release,
                                       std::memory_order_relaxed))
        return;
      continue;
    }
    waiter* w = nullptr;
    {
      section hold(queue_lock_);
      // While the mutex is locked and we hold the queue's lock, other callers only set the bits
      // above.
      w = queue_.take();
      const std::uint32_t more = queue_.empty_approx() ? 0u : waiting;
      s = state_.load(std::memory_order_relaxed);
      if (!w) {  // all waiters have left
        state_.fetch_and(~waiting, std::memory_order_relaxed);
      } else if (s & starving) {
        w->ok = true;
        state_.store((s & ~waiting) | more, std::memory_order_relaxed);
      } else {
        state_.store(woken | more, std::memory_order_release);  // [mutex]
      }
    }
    if (!w) continue;
    ready(w->g);
    return;
  }
}

}  // namespace weft
