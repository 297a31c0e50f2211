// Locking for at most as long as a context or a deadline lets one. The same steps as lock_slow() in
// mutex.cc, and two ways out of them that it does not have:
//   - over in the queue: the record comes out, and `waiting` is cleared if it was the last;
//   - woken, too late again, and it is over by then: `woken` is given back, and since the mutex is
//     locked at that moment, its holder's unlock wakes the next in line.
// Handed over in starvation mode at the instant of the cancel: the claim has decided, and if the
// unlocker had it, the mutex is ours and so is success.
#include <weft/mutex.h>

#include "runtime/clock.h"
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
      if (!(s & (locked | starving))) break;  // given up meanwhile: try again
      const std::uint32_t queued = over ? 0u : waiting | (starved && (s & locked) ? starving : 0u);
      if (state_.compare_exchange_weak(s, (s & ~mine) | queued, std::memory_order_relaxed)) break;
    }
    if (!(s & (locked | starving))) continue;
    if (over) return hold.over_locked() ? wait_end::canceled : wait_end::timed_out;
    waiter w;
    hold.enter(w);
    if (was_woken) queue_.push_front(&w);
    else queue_.push(&w);
    if (const wait_end end = hold.park(wait_reason::mutex_lock); end != wait_end::granted) {
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
