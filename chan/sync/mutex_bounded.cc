// Locking with a context or a deadline. The same steps as lock_slow() in mutex.cc, with two more
// ways out:
//   - the bound ends the wait in the queue: the record leaves the queue, and `waiting` is cleared
//     if it was the last;
//   - the waiter is woken, loses the race, and the bound has ended: `woken` is cleared. The mutex
//     is locked at that moment, so its holder's unlock wakes the next waiter.
// If the mutex is handed over in starvation mode at the instant of the cancel, the claim decides:
// if the unlocker has claimed the wait, this call holds the mutex and succeeds.
#include <weft/mutex.h>

#include "runtime/clock.h"
#include "sched/current.h"
#include "sched/retake.h"

namespace weft {

using namespace detail;

namespace {
constexpr std::int64_t starves_after_ns = 1'000'000;
}

std::error_code mutex::lock(const context& ctx) {
  if (const std::error_code e = error_of(ctx)) return e;
  if (try_lock()) return {};
  if (lock_bounded({.ctx = &ctx}) != wait_end::granted) return error_of(ctx);
  holder_.is_caller();
  return {};
}

wait_end mutex::lock_bounded(const wait_bound& bound) {
  {
    const runtime_call with(this_m(), runtime_call::needs::a_p);  // as in lock_slow()
  }
  bool was_woken = false;
  std::int64_t began = 0;
  for (;;) {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    const std::uint32_t mine = was_woken ? woken : 0u;
    if (!(s & (locked | starving))) {
      // [mutex] the last holder's stores before ours
      if (state_.compare_exchange_weak(s, (s | locked) & ~mine, std::memory_order_acquire, std::memory_order_relaxed))
        return wait_end::granted;
      continue;
    }
    const std::int64_t time = now_ns();
    if (!began) began = time;
    const bool starved = was_woken && time - began > starves_after_ns;
    bounded_wait hold(&queue_lock_, bound);
    const bool over = hold.over_locked() || time >= bound.deadline_ns;
    s = state_.load(std::memory_order_relaxed);
    for (;;) {
      if (!(s & (locked | starving))) break;  // unlocked in between: try again
      const std::uint32_t queued = over ? 0u : waiting | (starved && (s & locked) ? starving : 0u);
      if (state_.compare_exchange_weak(s, (s & ~mine) | queued, std::memory_order_relaxed)) break;
    }
    if (!(s & (locked | starving))) continue;
    if (over) return hold.over_locked() ? wait_end::canceled : wait_end::timed_out;
    waiter w;
    hold.enter(w);
    if (was_woken) queue_.push_front(&w);
    else queue_.push(&w);
    if (const wait_end end = wait_queued(queue_, w, [&] { return hold.park(wait_reason::mutex_lock); });
        end != wait_end::granted) {
      section again(queue_lock_);
      if (w.queued) queue_.remove(&w);
      if (queue_.empty_approx()) state_.fetch_and(~waiting, std::memory_order_relaxed);
      return end;
    }
    if (w.ok) {  // handed over, in starvation mode
      if (now_ns() - began < starves_after_ns || !(state_.load(std::memory_order_relaxed) & waiting))
        state_.fetch_and(~starving, std::memory_order_relaxed);
      return wait_end::granted;
    }
    was_woken = true;
  }
}

}  // namespace weft
