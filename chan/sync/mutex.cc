// The slow half of the mutex. The fast half changes state_ only between 0 and `locked`, so whatever
// other bit is set sends everybody here.
//
// Note [mutex]: who unlocks releases state_, who locks acquires it; a mutex handed over in starvation
// mode passes through ready(), which orders the same.
//
// The queue's lock is never touched after the mutex can be somebody else's who has not passed
// through it: a waiter that has locked may destroy the mutex at once.
//
// Those who wait with a context or a deadline are in mutex_bounded.cc.
#include <weft/clock.h>
#include <weft/errors.h>
#include <weft/mutex.h>

#include "runtime/clock.h"
#include "sched/retake.h"

namespace weft {

using namespace detail;

namespace {

constexpr std::int64_t starves_after_ns = 1'000'000;

}  // namespace

void mutex::lock_slow() {
  {
    // A fiber that locks and unlocks in line for long has lost its P to another, with which it contends now. It
    // waits for a P before it waits for the mutex: else one of the two is always woken and waiting, and no
    // operation of anybody is in line any more.
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
      if (!(s & (locked | starving))) break;  // given up meanwhile: try again
      // A mutex that nobody holds is never starving with an empty queue, so this wait will end.
      const std::uint32_t queued = waiting | (starved && (s & locked) ? starving : 0u);
      if (state_.compare_exchange_weak(s, (s & ~mine) | queued, std::memory_order_relaxed)) break;
    }
    if (!(s & (locked | starving))) continue;
    w.ok = false;
    if (was_woken) queue_.push_front(&w);
    else queue_.push(&w);
    park(wait_reason::mutex_lock, hold);
    if (w.ok) {  // handed over, in starvation mode
      if (now_ns() - began < starves_after_ns || !(state_.load(std::memory_order_relaxed) & waiting))
        state_.fetch_and(~starving, std::memory_order_relaxed);
      return;
    }
    was_woken = true;
  }
}

void mutex::unlock_slow() {
  for (;;) {
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    if (!(s & locked)) throw panic("sync: unlock of unlocked mutex");
    if (!(s & waiting) || ((s & woken) && !(s & starving))) {
      // Nobody to wake, or one is on its way already. [mutex] our stores before the next holder
      if (state_.compare_exchange_weak(s, s & ~(locked | (s & waiting ? 0u : starving)), std::memory_order_release,
                                       std::memory_order_relaxed))
        return;
      continue;
    }
    waiter* w = nullptr;
    {
      section hold(queue_lock_);
      // While it is locked and we hold the queue, nobody else changes the state but to set bits above.
      w = queue_.take();
      const std::uint32_t more = queue_.empty_approx() ? 0u : waiting;
      s = state_.load(std::memory_order_relaxed);
      if (!w) {  // all have given up
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
