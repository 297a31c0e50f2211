// The slow path of the reader-writer lock: waiting, and handing over.
//
// The fast path changes state_ only while none of `writing`, `queued` and `spread` is set, except
// for a writer's change from `writing` alone to 0. So a caller that sets `queued` under the queue's
// lock owns state_ until it clears the bit. The bits:
//   writing  a writer holds the lock; no reader is counted
//   queued   there are waiters: in gate_ the next writer, in readers_ the readers behind a writer
//   spread   readers are counted in the slots, not here (rw_slots.cc); neither of the others is set
//
// Note [rw]: unlock stores state_ (or a slot) with release, lock acquires it. Between them are only
// read-modify-writes, which continue the release. A hand-over passes through the queue's lock and
// ready(), which give the same order.
//
// An unlocking caller holds the queue's lock only if there is a waiter. The waiter is woken after
// that lock is released, or it has left and needs the lock itself. So the next holder may destroy
// the whole object immediately. For the same reason a writer unlocks writers_ while it still holds
// the lock.
//
// Refused: a queue of writers with hand-over from writer to writer. A writer that unlocks and locks
// again would park each time. The mutex in front, writers_, lets it continue and has starvation
// mode.
#include <weft/errors.h>
#include <weft/rw_mutex.h>

#include <mutex>

#include "sched/simulated.h"

namespace weft {

using namespace detail;

namespace {

void wake_all(waiter* first) {
  while (first) {
    waiter* next = first->next;  // before its owner runs and the record is gone
    ready(first->g);
    first = next;
  }
}

}  // namespace

// Makes all readers in readers_ holders, in addition to the `counted` ones. Returns them as a list
// to be woken.
waiter* rw_mutex::admit_readers_locked(std::uint64_t counted) {
  waiter* all = nullptr;
  waiter** end = &all;
  std::uint64_t n = 0;
  while (waiter* w = readers_.take()) {
    *end = w;
    end = &w->next;
    w->next = nullptr;
    ++n;
  }
  state_.store(counted + n * one_reader + (gate_.empty_approx() ? 0 : queued), std::memory_order_release);  // [rw]
  return all;
}

// The lock has no holder, and `queued` is set: gives it to the writer at the gate, or if that has
// left, to the readers behind it.
waiter* rw_mutex::next_after_readers_locked() {
  waiter* w = gate_.take();
  if (!w) return admit_readers_locked(0);
  w->next = nullptr;
  state_.store(writing | (readers_.empty_approx() ? 0 : queued), std::memory_order_release);  // [rw]
  return w;
}

std::error_code rw_mutex::lock(const context& ctx) {
  if (const std::error_code e = error_of(ctx)) return e;
  return try_lock() || held_if(lock_slow({.ctx = &ctx})) ? std::error_code() : error_of(ctx);
}

std::error_code rw_mutex::lock_shared(const context& ctx) {
  if (const std::error_code e = error_of(ctx)) return e;
  return try_count_reader() || lock_shared_slow({.ctx = &ctx}) ? std::error_code() : error_of(ctx);
}

bool rw_mutex::lock_slow(const wait_bound& bound) {
  const waits_for the_holder(bound.none() ? &holder_ : nullptr);
  if (bound.none()) writers_.lock();
  else if (!writers_.try_lock() && writers_.lock_bounded(bound) != wait_end::granted) return false;
  const std::lock_guard until_it_is_ours(writers_, std::adopt_lock);
  return wait_at_gate(bound);
}

// Returns true if the lock was free; the caller holds it now. False: `queued` is set.
bool rw_mutex::claim_or_queue_locked() {
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    if (s & spread) {
      gather_locked();
      s = state_.load(std::memory_order_relaxed);
    }
    const bool free = s < one_reader && !(s & writing);
    // `queued` without a holder does not happen: an unlock hands over. [rw]
    if (state_.compare_exchange_weak(s, free ? writing : s | queued, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return free;
  }
}

bool rw_mutex::wait_at_gate(const wait_bound& bound) {
  waiter w;
  if (bound.none()) {
    section hold(queue_lock_);
    if (claim_or_queue_locked()) return true;
    w.g = self();
    gate_.push(&w);
    park_queued(wait_reason::rw_mutex_lock, hold, gate_, w);
    return true;
  }
  bounded_wait hold(&queue_lock_, bound);
  if (hold.over_locked()) return false;
  if (claim_or_queue_locked()) return true;
  hold.enter(w);
  gate_.push(&w);
  if (wait_queued(gate_, w, [&] { return hold.park(wait_reason::rw_mutex_lock); }) == wait_end::granted) return true;
  leave_gate(w);
  return false;
}

// A writer has left. Readers that waited only for it become holders.
void rw_mutex::leave_gate(waiter& w) {
  waiter* admitted = nullptr;
  {
    section hold(queue_lock_);
    if (!w.queued) return;  // dropped by the caller that would have handed over
    gate_.remove(&w);
    const std::uint64_t s = state_.load(std::memory_order_relaxed);
    if (!(s & writing)) admitted = admit_readers_locked(s & ~(one_reader - 1));
    else if (readers_.empty_approx()) state_.fetch_and(~queued, std::memory_order_relaxed);
  }
  wake_all(admitted);
}

bool rw_mutex::try_lock_slow() {
  if (in_line.simulated) {
    sim_point(sim_op::rw_mutex, this);
    std::uint64_t free = 0;
    // [rw] the last holders' stores before ours
    return state_.compare_exchange_strong(free, writing, std::memory_order_acquire, std::memory_order_relaxed);
  }
  if (!(state_.load(std::memory_order_relaxed) & spread) || looks_read()) return false;
  section hold(queue_lock_);
  if (state_.load(std::memory_order_relaxed) & spread) gather_locked();
  return try_lock_alone();
}

void rw_mutex::unlock_slow() {
  if (in_line.simulated) [[unlikely]]
    sim_point(sim_op::rw_mutex, this);
  waiter* next = nullptr;
  for (;;) {
    std::uint64_t alone = writing;
    // [rw] our stores before the next holder
    if (state_.compare_exchange_strong(alone, 0, std::memory_order_release, std::memory_order_relaxed)) return;
    section hold(queue_lock_);
    if (!(state_.load(std::memory_order_relaxed) & writing)) {
      hold.leave();
      throw panic("sync: Unlock of unlocked RWMutex");
    }
    if (readers_.empty_approx() && gate_.empty_approx()) {  // all waiters have left: unlock without this lock held
      state_.fetch_and(~queued, std::memory_order_relaxed);
      continue;
    }
    if (!readers_.empty_approx()) next = admit_readers_locked(0);
    // All readers have left, and there is no writer at the gate: the lock is free, and others may
    // use it.
    if (!next && !gate_.empty_approx()) next = next_after_readers_locked();
    break;
  }
  wake_all(next);
}

bool rw_mutex::lock_shared_slow(const wait_bound& bound) {
  if (try_lock_shared_slow()) return true;
  const waits_for the_holder(bound.none() ? &holder_ : nullptr);
  waiter w;
  if (bound.none()) {
    section hold(queue_lock_);
    if (count_reader_locked()) return true;
    w.g = self();
    readers_.push(&w);
    park_queued(wait_reason::rw_mutex_lock, hold, readers_, w);
    return true;
  }
  bounded_wait hold(&queue_lock_, bound);
  if (hold.over_locked()) return false;
  if (count_reader_locked()) return true;
  hold.enter(w);
  readers_.push(&w);
  if (wait_queued(readers_, w, [&] { return hold.park(wait_reason::rw_mutex_lock); }) == wait_end::granted) return true;
  leave_readers(w);
  return false;
}

// A reader has left.
void rw_mutex::leave_readers(waiter& w) {
  section hold(queue_lock_);
  if (!w.queued) return;  // dropped by the caller that would have admitted it
  readers_.remove(&w);
  if (readers_.empty_approx() && gate_.empty_approx()) state_.fetch_and(~queued, std::memory_order_relaxed);
}

// Returns true if the caller is counted. False: a writer holds the lock or waits, and `queued` is
// set.
bool rw_mutex::count_reader_locked() {
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool open = !(s & (writing | queued));
    // [rw] the last writer's stores before our reads
    if (state_.compare_exchange_weak(s, open ? s + one_reader : s | queued, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return open;
  }
}

void rw_mutex::unlock_shared_slow() {
  if (in_line.simulated) [[unlikely]]
    sim_point(sim_op::rw_mutex, this);
  waiter* next = nullptr;
  while (!uncount_reader()) {
    section hold(queue_lock_);
    if (state_.load(std::memory_order_relaxed) & spread) {
      if (uncount_reader()) return;  // a writer must come to this lock before it is alone
      gather_locked();
    }
    const std::uint64_t s = state_.load(std::memory_order_relaxed);
    if (s < one_reader) {
      hold.leave();
      throw panic("sync: RUnlock of unlocked RWMutex");
    }
    if (!(s & queued)) continue;  // no waiters: unlock without this lock held
    state_.store(s - one_reader, std::memory_order_release);  // [rw] our reads before the next writer
    if (s - one_reader == queued) next = next_after_readers_locked();
    break;
  }
  wake_all(next);
}

}  // namespace weft
