// Readers without contention: counts in slots, one cache line per CPU.
//
// Every slot has a `frozen` bit. A frozen slot does not change: a reader takes the queue's lock
// instead. Counting is one read-modify-write of the slot's word. So no reader enters past a writer
// that has frozen all slots, and no further fence is needed: after the last slot is frozen the sum
// is exact.
//
//      spreading                             a writer, gathering
//   S1 set `spread` in state_             G1 freeze each slot and take its count
//   S2 thaw each slot; the first gets     G2 clear `spread` and add the counts to state_
//      what state_ had counted
//
// All of these run under the queue's lock.
//
// A count is the number of readers, not their identity: a fiber that has moved to another P
// decrements the count that it finds there, or any other. Counts do not become negative, so that a
// surplus unlock is detected.
//
// Spreading costs the next writer a read-modify-write for each slot. It begins when readers have
// lost twice as many races on state_ as there are slots, since the counts were last gathered.
//
// Refused: a table that all locks share (a writer would have to scan all of it), and slots in every
// lock from the start (a lock is 104 bytes, and few locks are contended).
#include <weft/detail/stripe.h>
#include <weft/rw_mutex.h>

#include <new>

#include "runtime/cache_line.h"
#include "sched/simulated.h"

namespace weft {

using namespace detail;

struct alignas(line_pair) rw_mutex::slot {
  static constexpr std::uint64_t frozen = 1, one = 2;
  std::atomic<std::uint64_t> word{frozen};
};

rw_mutex::slot_try rw_mutex::count_in_slot(slot& s) noexcept {
  std::uint64_t v = 0;
  do {
    // [rw] the last writer's stores before our reads
    if (s.word.compare_exchange_strong(v, v + slot::one, std::memory_order_acquire, std::memory_order_relaxed))
      return slot_try::done;
  } while (!(v & slot::frozen));
  return slot_try::frozen;
}

rw_mutex::slot_try rw_mutex::uncount_in_slot(slot& s) noexcept {
  std::uint64_t v = slot::one;
  do {
    // [rw] our reads before the next writer
    if (s.word.compare_exchange_strong(v, v - slot::one, std::memory_order_release, std::memory_order_relaxed))
      return slot_try::done;
    if (v & slot::frozen) return slot_try::frozen;
  } while (v >= slot::one);
  return slot_try::empty;
}

bool rw_mutex::try_lock_shared_slow() {
  if (in_line.simulated) [[unlikely]]
    sim_point(sim_op::rw_mutex, this);
  for (;;) {
    if (slot* const all = slots_in_use_.load(std::memory_order_acquire)) {  // [rw-slots]
      if (count_in_slot(all[current_stripe() % stripe_count()]) == slot_try::done) return true;
      section hold(queue_lock_);  // spreading or gathering has ended when we hold the lock
      continue;
    }
    std::uint64_t s = state_.load(std::memory_order_relaxed);
    if (s & (writing | queued)) return false;
    if (s & spread) {
      section hold(queue_lock_);
      continue;
    }
    if (count_reader_here(s)) return true;
    if (!(s & no_shortcut)) note_contention();
  }
}

// Returns false if only the queue's lock can show whether a reader is counted.
bool rw_mutex::uncount_reader() {
  for (;;) {
    if (slot* const all = slots_in_use_.load(std::memory_order_acquire)) {  // [rw-slots]
      const unsigned n = stripe_count(), mine = current_stripe();
      slot_try t = slot_try::empty;
      for (unsigned i = 0; i < n && t == slot_try::empty; ++i) t = uncount_in_slot(all[(mine + i) % n]);
      return t == slot_try::done;
    }
    std::uint64_t s = state_.load(std::memory_order_relaxed);
    if ((s & no_shortcut) || s < one_reader) return false;
    if (uncount_reader_here(s)) return true;
    if (!(s & no_shortcut)) note_contention();
  }
}

// A reader has lost a race on state_ against another.
void rw_mutex::note_contention() {
  const unsigned n = stripe_count();
  if (n == 1 || contention_.fetch_add(1, std::memory_order_relaxed) < 2 * n) return;
  section hold(queue_lock_);
  spread_locked();
}

void rw_mutex::spread_locked() {
  if (!slots_) slots_ = new (std::nothrow) slot[stripe_count()];
  if (!slots_) return;
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  do {
    if (s & no_shortcut) return;
    // S1 [rw] the last writer's stores, passed on with S2
  } while (!state_.compare_exchange_weak(s, s | spread, std::memory_order_acquire, std::memory_order_relaxed));
  state_.store(spread, std::memory_order_release);  // [rw] ours while `spread` is set
  slots_in_use_.store(slots_, std::memory_order_release);  // [rw-slots]
  for (unsigned i = 0; i < stripe_count(); ++i) {
    slots_[i].word.store(s / one_reader * slot::one, std::memory_order_release);  // S2 [rw]
    s = 0;
  }
}

// Returns to one count, in state_, which must have `spread` set. No reader enters or leaves during
// this.
void rw_mutex::gather_locked() {
  contention_.store(0, std::memory_order_relaxed);
  slots_in_use_.store(nullptr, std::memory_order_relaxed);
  std::uint64_t n = 0;
  for (unsigned i = 0; i < stripe_count(); ++i)
    // G1 [rw] the reads of the readers that have left
    n += slots_[i].word.exchange(slot::frozen, std::memory_order_acq_rel) / slot::one;
  // G2. state_ is ours while `spread` is set.
  const std::uint64_t s = state_.load(std::memory_order_relaxed);
  state_.store((s & ~spread) + n * one_reader, std::memory_order_release);  // [rw]
}

// Returns true if some slot has a reader. Writes nothing.
bool rw_mutex::looks_read() const noexcept {
  const slot* const all = slots_in_use_.load(std::memory_order_acquire);  // [rw-slots]
  if (!all) return false;
  for (unsigned i = 0; i < stripe_count(); ++i)
    if (all[i].word.load(std::memory_order_relaxed) >= slot::one) return true;
  return false;
}

void rw_mutex::free_slots() noexcept { delete[] slots_; }

// Note [rw-slots]: the slots are complete before slots_in_use_ is stored with release; a reader of
// it acquires them. They live as long as the lock, so an old value of slots_in_use_ is valid: its
// slots are frozen then.

}  // namespace weft
