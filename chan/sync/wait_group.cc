// Note [wait-group]: done() releases the count and wait() acquires it, by reading 0 or by being woken.
//
// A waiter sets `waiting` under the queue's lock while the count is above 0, so the done() that
// brings it to 0 sees the bit, takes the lock and finds the waiter queued. It is the only one that
// touches the group after that, and it lets go of the lock before it wakes the first waiter.
#include <weft/errors.h>
#include <weft/wait_group.h>

namespace weft {

using namespace detail;

void wait_group::reached(std::int64_t s, int n) {
  if (s < 0) {
    state_.fetch_sub(one * n, std::memory_order_relaxed);
    throw panic("sync: negative WaitGroup counter");
  }
  if (n > 0) {  // from 0, and the waiters of that 0 are still there
    add(-n);
    throw panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  }
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
  park(wait_reason::wait_group_wait, hold);
}

std::error_code wait_group::wait(const context& ctx) {
  if (const std::error_code e = error_of(ctx)) return e;
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
  if (hold.park(wait_reason::wait_group_wait) == wait_end::granted) return {};
  return left_queue(&w) ? std::error_code() : error_of(ctx);
}

// A cancelled waiter may be the last to see `waiting`, and after it has returned the group may be
// destroyed once the count is 0. So it takes the bit back; and if the done() that found it is on its
// way to the queue already, it waits for that after all: true, for the count is 0.
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
      park(wait_reason::wait_group_wait, hold);
      return true;
    }
  } while (queue_.empty_approx() && !state_.compare_exchange_weak(s, s & ~waiting, std::memory_order_relaxed));
  return false;
}

}  // namespace weft
