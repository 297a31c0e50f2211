// The slow half of the reader-writer lock: waiting, and handing over.
//
// The fast half changes state_ only while none of `writing`, `queued` and `spread` is set, but for a
// writer's own way from `writing` alone to 0. So whoever sets `queued` under the queue's lock has
// state_ to itself until it takes the bit away again. What the bits mean:
//   writing  a writer holds the lock; no reader is counted
//   queued   somebody waits: in gate_ the next writer, in readers_ those whom a writer keeps out
//   spread   readers are counted in the slots too (rw_slots.cc); neither of the others is set
//
// Note [rw]: who unlocks releases state_ (or a slot) and who locks acquires it; in between there are
// only read-modify-writes, which continue the release. What is handed over goes through the queue's
// lock and ready(), which order the same.
//
// The queue's lock is held by somebody who unlocks only if somebody waits, who is woken after it has
// been let go of, or has given up and still needs it. So the next holder may destroy the whole at
// once. For the same reason a writer leaves the mutex in front while the lock is its own.
//
// Refused: handing over from writer to writer in a queue of their own. A writer that unlocks and
// locks again would park each time; the mutex in front, writers_, lets it go on and knows starvation.
#include <weft/errors.h>
#include <weft/rw_mutex.h>

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

// Everybody in readers_ becomes a holder, beside those already counted in `counted`; returns them as a
// list to be woken.
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

// Nobody holds the lock any more, and `queued` is set: it goes to the writer at the gate, or if that
// has given up, to the readers it kept out.
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
  const bool got = wait_at_gate(bound);
  writers_.unlock();
  return got;
}

// True: the lock was free and is the caller's. False: `queued` is set.
bool rw_mutex::claim_or_queue_locked() {
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    if (s & spread) {
      gather_locked();
      s = state_.load(std::memory_order_relaxed);
    }
    const bool free = s < one_reader && !(s & writing);
    // `queued` without a holder does not happen: whoever unlocks hands over. [rw]
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
    park(wait_reason::rw_mutex_lock, hold);
    return true;
  }
  bounded_wait hold(&queue_lock_, bound);
  if (hold.over_locked()) return false;
  if (claim_or_queue_locked()) return true;
  hold.enter(w);
  gate_.push(&w);
  if (hold.park(wait_reason::rw_mutex_lock) == wait_end::granted) return true;
  leave_gate(w);
  return false;
}

// A writer has given up. Readers that it alone kept out go in.
void rw_mutex::leave_gate(waiter& w) {
  waiter* admitted = nullptr;
  {
    section hold(queue_lock_);
    if (!w.queued) return;  // dropped by whoever would have handed over
    gate_.remove(&w);
    const std::uint64_t s = state_.load(std::memory_order_relaxed);
    if (!(s & writing)) admitted = admit_readers_locked(s & ~(one_reader - 1));
    else if (readers_.empty_approx()) state_.fetch_and(~queued, std::memory_order_relaxed);
  }
  wake_all(admitted);
}

bool rw_mutex::try_lock_slow() {
  if (!(state_.load(std::memory_order_relaxed) & spread) || looks_read()) return false;
  section hold(queue_lock_);
  if (state_.load(std::memory_order_relaxed) & spread) gather_locked();
  return try_lock_alone();
}

void rw_mutex::unlock_slow() {
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
    if (readers_.empty_approx() && gate_.empty_approx()) {  // all have given up: unlock without this lock held
      state_.fetch_and(~queued, std::memory_order_relaxed);
      continue;
    }
    if (!readers_.empty_approx()) next = admit_readers_locked(0);
    // Readers that have all given up, and nobody at the gate: the lock is free already, and others come and go.
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
    park(wait_reason::rw_mutex_lock, hold);
    return true;
  }
  bounded_wait hold(&queue_lock_, bound);
  if (hold.over_locked()) return false;
  if (count_reader_locked()) return true;
  hold.enter(w);
  readers_.push(&w);
  if (hold.park(wait_reason::rw_mutex_lock) == wait_end::granted) return true;
  leave_readers(w);
  return false;
}

// A reader has given up.
void rw_mutex::leave_readers(waiter& w) {
  section hold(queue_lock_);
  if (!w.queued) return;  // dropped by whoever would have admitted it
  readers_.remove(&w);
  if (readers_.empty_approx() && gate_.empty_approx()) state_.fetch_and(~queued, std::memory_order_relaxed);
}

// True if the caller is counted now. False: a writer is in the way, and `queued` is set.
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
    if (!(s & queued)) continue;  // nobody waits: unlock without this lock held
    state_.store(s - one_reader, std::memory_order_release);  // [rw] our reads before the next writer
    if (s - one_reader == queued) next = next_after_readers_locked();
    break;
  }
  wake_all(next);
}

}  // namespace weft
