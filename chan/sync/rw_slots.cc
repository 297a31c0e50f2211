// Readers that do not disturb each other: counts in slots, one cache line per CPU.
//
// Every slot has a bit that says "frozen": then nothing of it changes, and whoever wanted to count
// itself there takes the queue's lock instead. Counting is a read-modify-write of the slot's word
// alone, so no reader can slip in past a writer that has frozen all slots, and no fence is needed
// beside it: after the last slot is frozen the sum is exact.
//
//      spreading                             a writer, gathering           all under the queue's lock
//   S1 set `spread` in state_             G1 freeze each slot and take its count
//   S2 thaw each slot                     G2 clear `spread` and add the counts to state_
//
// A count says that there are readers, not which: a fiber that has moved on to another P takes
// the count that it finds there, or any other. Counts do not become negative, so that an unlock too
// many is found out.
//
// Spreading costs the next writer a read-modify-write per slot, so it must have been paid for: it begins
// when readers have lost as many races on state_ since the last writer.
//
// Refused: a table that all locks share (a writer would have to look through all of it), and slots in
// every lock from the start (a lock is 88 bytes, and few are ever fought over).
#include <weft/detail/stripe.h>
#include <weft/rw_mutex.h>

#include <new>

#include "runtime/cache_line.h"

namespace weft {

using namespace detail;

struct alignas(line_pair) rw_mutex::slot {
  static constexpr std::uint64_t frozen = 1, one = 2;
  std::atomic<std::uint64_t> word{frozen};
};

rw_mutex::slot_try rw_mutex::count_in_slot(slot& s) noexcept {
  std::uint64_t v = s.word.load(std::memory_order_relaxed);
  if (v & slot::frozen) return slot_try::frozen;
  // [rw] the last writer's stores before our reads
  return s.word.compare_exchange_strong(v, v + slot::one, std::memory_order_acquire, std::memory_order_relaxed)
             ? slot_try::done
             : slot_try::raced;
}

rw_mutex::slot_try rw_mutex::uncount_in_slot(slot& s) noexcept {
  std::uint64_t v = s.word.load(std::memory_order_relaxed);
  if (v & slot::frozen) return slot_try::frozen;
  if (v < slot::one) return slot_try::empty;
  // [rw] our reads before the next writer
  return s.word.compare_exchange_strong(v, v - slot::one, std::memory_order_release, std::memory_order_relaxed)
             ? slot_try::done
             : slot_try::raced;
}

bool rw_mutex::try_lock_shared_slow() {
  for (;;) {
    const std::uint64_t s = state_.load(std::memory_order_acquire);  // [rw-slots]
    if (s & (writing | queued)) return false;
    if (s & spread) {
      slot& mine = slots_.load(std::memory_order_relaxed)[current_stripe() % stripe_count()];
      const slot_try t = count_in_slot(mine);
      if (t == slot_try::done) return true;
      if (t == slot_try::raced) continue;
      // Spreading or gathering is under way: it is over when we have the queue's lock.
      section hold(queue_lock_);
    } else if (try_count_reader()) {
      return true;
    }
  }
}

// False if it takes the queue's lock to say whether anybody is counted.
bool rw_mutex::uncount_reader() {
  for (;;) {
    std::uint64_t s = state_.load(std::memory_order_acquire);  // [rw-slots]
    if (s & spread) {
      slot* const all = slots_.load(std::memory_order_relaxed);
      const unsigned n = stripe_count(), mine = current_stripe();
      slot_try t = slot_try::empty;
      for (unsigned i = 0; i < n && t == slot_try::empty; ++i) t = uncount_in_slot(all[(mine + i) % n]);
      if (t == slot_try::raced) continue;
      return t == slot_try::done;
    }
    if ((s & (writing | queued)) || s < one_reader) return false;
    // [rw] our reads before the next writer
    if (state_.compare_exchange_weak(s, s - one_reader, std::memory_order_release, std::memory_order_relaxed))
      return true;
    note_contention();
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
  slot* all = slots_.load(std::memory_order_relaxed);
  if (!all) {
    all = new (std::nothrow) slot[stripe_count()];
    if (!all) return;
    slots_.store(all, std::memory_order_release);  // [rw-slots]
  }
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  do {
    if (s & no_shortcut) return;
    // S1 [rw] the last writer's stores, passed on with S2. [rw-slots] the slots before the bit
  } while (!state_.compare_exchange_weak(s, s | spread, std::memory_order_acq_rel, std::memory_order_relaxed));
  for (unsigned i = 0; i < stripe_count(); ++i) all[i].word.store(0, std::memory_order_release);  // S2 [rw]
}

// Back to one count, in state_, which must have `spread` set. Nobody is let in or out meanwhile.
void rw_mutex::gather_locked() {
  contention_.store(0, std::memory_order_relaxed);
  slot* const all = slots_.load(std::memory_order_relaxed);
  std::uint64_t n = 0;
  for (unsigned i = 0; i < stripe_count(); ++i)
    // G1 [rw] what those who have left did
    n += all[i].word.exchange(slot::frozen, std::memory_order_acq_rel) / slot::one;
  // G2. state_ is ours while `spread` is set.
  const std::uint64_t s = state_.load(std::memory_order_relaxed);
  state_.store((s & ~spread) + n * one_reader, std::memory_order_release);  // [rw]
}

// Whether some slot has a reader, without disturbing anybody.
bool rw_mutex::looks_read() const noexcept {
  // Slots made once stay until the end, so a state_ that was `spread` a moment ago has them.
  const slot* const all = slots_.load(std::memory_order_acquire);  // [rw-slots]
  if (!all) return false;
  for (unsigned i = 0; i < stripe_count(); ++i)
    if (all[i].word.load(std::memory_order_relaxed) >= slot::one) return true;
  return false;
}

void rw_mutex::free_slots() noexcept { delete[] slots_.load(std::memory_order_relaxed); }

// Note [rw-slots]: the slots are made before `spread` is set, which releases them; whoever acquires a
// state_ with `spread` finds them.

}  // namespace weft
