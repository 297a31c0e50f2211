// Note [wait-group]: done() releases the count and wait() acquires it, by reading 0 or by being
// woken.
//
// A waiter sets `waiting` under the queue's lock while the count is above 0, so the done() that
// brings it to 0 reads the bit, takes the lock and finds the waiter queued. Only that done()
// touches the group afterwards, and it releases the lock before it wakes the first waiter.
#include <weft/errors.h>
#include <weft/wait_group.h>

#include "sched/simulated.h"

namespace weft {

using namespace detail;

void wait_group::misused(std::int64_t s, int n) {
  if (s < 0) {
    state_.fetch_sub(one * n, std::memory_order_relaxed);
    throw panic("sync: negative WaitGroup counter");
  }
  // From 0, and the waiters of that 0 are still there. One that has come since waits for this
  // count.
  add(-n);
  throw panic("sync: WaitGroup misuse: Add called concurrently with Wait");
}

void wait_group::reached(std::int64_t s, int n) {
  if (in_line.simulated) [[unlikely]] {
    std::int64_t before = s - one * n;
    if (sim_self()) {  // undone, for another fiber may run first
      state_.fetch_sub(one * n, std::memory_order_relaxed);
      sim_point(sim_op::wait_group, this);
      before = state_.fetch_add(one * n, std::memory_order_acq_rel);  // [wait-group] as in add()
      s = before + one * n;
    }
    if (s >= one && before != waiting) return;
  }
  // The count is 0, unless it went below, or was raised from a 0 that has waiters.
  if (static_cast<std::uint64_t>(s) > waiting) [[unlikely]]
    misused(s, n);
  if (!(s & waiting)) return;
  waiter* all = nullptr;
  waiter** end = &all;
  {
    section hold(queue_lock_);
    state_.fetch_and(~waiting, std::memory_order_relaxed);
    while (waiter* w = queue_.take()) {
      *end = w;
      end = &w->next;
      w->next = nullptr;
    }
  }
  while (all) {
    waiter* w = all;
    all = w->next;
    ready(w->g);
  }
}

void wait_group::wait_slow() {
  section hold(queue_lock_);
  std::int64_t s = state_.load(std::memory_order_acquire);  // [wait-group] if it is 0
  do {
    if (s < one) return;
    // [wait-group] on failure, as above
  } while (!state_.compare_exchange_weak(s, s | waiting, std::memory_order_acquire));
  waiter w;
  w.g = hold.self();
  queue_.push(&w);
  park_queued(wait_reason::wait_group_wait, hold, queue_, w);
}

std::error_code wait_group::wait(const context& ctx) {
  if (const std::error_code e = error_of(ctx)) return e;
  if (in_line.simulated) [[unlikely]]
    sim_point(sim_op::wait_group, this);
  if (state_.load(std::memory_order_acquire) < one) return {};  // [wait-group]
  bounded_wait hold(&queue_lock_, {.ctx = &ctx});
  std::int64_t s = state_.load(std::memory_order_acquire);  // [wait-group]
  do {
    if (s < one) return {};
    if (hold.over_locked()) {
      hold.leave();
      return error_of(ctx);
    }
  } while (!state_.compare_exchange_weak(s, s | waiting, std::memory_order_acquire));  // [wait-group]
  waiter w;
  hold.enter(w);
  queue_.push(&w);
  if (wait_queued(queue_, w, [&] { return hold.park(wait_reason::wait_group_wait); }) == wait_end::granted) return {};
  return left_queue(&w) ? std::error_code() : error_of(ctx);
}

// A cancelled waiter may be the last one that `waiting` stands for. After it has returned, the
// group may be destroyed once the count is 0. So it clears the bit. If a done() has read the bit
// and is about to take the queue's lock, the waiter waits for it and returns true: the count is 0.
bool wait_group::left_queue(waiter* w) {
  section hold(queue_lock_);
  if (w->queued) queue_.remove(w);
  std::int64_t s = state_.load(std::memory_order_relaxed);
  do {
    if (!(s & waiting)) return false;
    if (s < one) {
      waiter again;
      again.g = self();
      queue_.push(&again);
      park_queued(wait_reason::wait_group_wait, hold, queue_, again);
      return true;
    }
  } while (queue_.empty_approx() && !state_.compare_exchange_weak(s, s & ~waiting, std::memory_order_relaxed));
  return false;
}

}  // namespace weft
