// A P's own run queue: a ring of 256 that its owner fills and empties and any M may steal from, and
// one slot before it, `next`, for the fiber made runnable last.
//
// `next` hands a value over to its reader while both are in cache, and keeps a pair of fibers that
// wake each other on one P. Indices run freely over the ring: one comes again after
// 2^32 pushes, so a stale head never compares equal by accident.
//
// While the world has only one P no M steals, and the owner moves the head and `next` with plain
// stores instead of read-modify-writes (7 ns each, where a whole yield takes 15).
#pragma once
#include <weft/detail/spawn.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/cache_line.h"

namespace weft::detail {

class run_queue {
 public:
  static constexpr std::uint32_t capacity = 256;

  // Owner only. While alone, steal_half and steal_next must not be called.
  void set_alone(bool alone) noexcept { alone_ = alone; }
  bool alone() const noexcept { return alone_; }

  // Owner only. Appends r; false if the ring is full.
  bool push(runnable* r) noexcept {
    const std::uint32_t t = tail_.load(std::memory_order_relaxed);
    // [queue-head] a slot is written only after the thread that took its last content has read it
    const std::uint32_t h = head_.load(std::memory_order_acquire);
    if (t - h >= capacity) return false;
    slots_[t % capacity].store(r, std::memory_order_relaxed);
    tail_.store(t + 1, std::memory_order_release);  // [queue-tail] the slot before the tail that covers it
    return true;
  }

  // Owner only. The oldest of the ring, or null.
  runnable* pop() noexcept {
    const std::uint32_t t = tail_.load(std::memory_order_relaxed);
    std::uint32_t h = head_.load(std::memory_order_relaxed);
    for (;;) {
      if (h == t) return nullptr;
      runnable* r = slots_[h % capacity].load(std::memory_order_relaxed);
      if (alone_) {
        head_.store(h + 1, std::memory_order_relaxed);
        return r;
      }
      // [queue-head] our read of the slot before the head that frees it
      if (head_.compare_exchange_weak(h, h + 1, std::memory_order_release, std::memory_order_relaxed)) return r;
    }
  }

  // Owner only. Takes out the older half of a full ring as a linked list of `n`. Returns null if
  // thieves were faster. For moving an overflow elsewhere.
  runnable* pop_half(std::uint32_t& n) noexcept;

  // Owner only. Makes r the next to run; returns the runnable that it displaces. Unless
  // alone sequentially consistent: with reads behind it that are too, step S2 of Note [wake-up].
  runnable* exchange_next(runnable* r) noexcept {
    if (alone_) {
      runnable* old = next_.load(std::memory_order_relaxed);
      next_.store(r, std::memory_order_relaxed);
      return old;
    }
    // [next-slot] the memory that r points to before r can be seen; [wake-up] S1 and S2 in one
    return next_.exchange(r, std::memory_order_seq_cst);
  }

  // Owner only. The next slot's content, now empty.
  runnable* take_next() noexcept {
    runnable* r = next_.load(std::memory_order_relaxed);
    if (!r) return nullptr;
    if (alone_) {
      next_.store(nullptr, std::memory_order_relaxed);
      return r;
    }
    return next_.exchange(nullptr, std::memory_order_acquire);  // [next-slot]
  }

  // Any M. Moves half of the ring, rounded up, to the empty end of `mine` (the caller's own) and
  // also returns one of them; null if there was nothing. `taken` counts them all.
  runnable* steal_half(run_queue& mine, std::uint32_t& taken) noexcept;

  // Any M. Takes the next slot if it still holds `seen`.
  bool steal_next(runnable* seen) noexcept {
    // [next-slot] the memory that seen points to, written before it was put there
    return next_.compare_exchange_strong(seen, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
  }

  // Any M; the answer may be out of date when it returns.
  runnable* peek_next() const noexcept { return next_.load(std::memory_order_relaxed); }
  std::uint32_t ring_size_approx() const noexcept {
    const std::uint32_t h = head_.load(std::memory_order_relaxed);
    const std::uint32_t t = tail_.load(std::memory_order_relaxed);
    return t - h > capacity ? 0 : t - h;
  }
  // Any thread: calls f(runnable*) for each runnable seen. It may be taken, run and freed at any
  // time.
  template <class F>
  void for_each_approx(F f) const {
    if (runnable* r = peek_next()) f(r);
    std::uint32_t h = head_.load(std::memory_order_relaxed);
    for (std::uint32_t n = ring_size_approx(); n > 0; --n, ++h) f(slots_[h % capacity].load(std::memory_order_relaxed));
  }
  bool empty_approx() const noexcept { return ring_size_approx() == 0 && !peek_next(); }

 private:
  // Written by the owner and by thieves.
  alignas(line_pair) std::atomic<std::uint32_t> head_{0};
  // Written by the owner, which reads all of this line; thieves write next_.
  alignas(line_pair) std::atomic<std::uint32_t> tail_{0};
  bool alone_ = false;
  std::atomic<runnable*> next_{nullptr};
  std::array<std::atomic<runnable*>, capacity> slots_{};
};

// Note [queue-tail]: a thief that reads a tail reads the slots below it as the owner wrote them,
// and what they point to, because the owner's releasing store of the tail comes after both.
//
// Note [queue-head]: a thread that takes an element reads its slot first and then moves the head
// with a releasing compare-and-swap. The owner acquires the head before it writes that slot again.
// So no reader ever finds an element of a later round, and a reader that loses the race drops the
// element that it read.
//
// Note [next-slot]: the slot's writer releases what it points to, the thread that takes it
// acquires.

}  // namespace weft::detail
