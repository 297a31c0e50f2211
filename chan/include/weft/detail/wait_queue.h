// Who waits on a channel: records on the waiters' own stacks, first come first served.
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>

namespace weft::detail {

// One fiber's (or thread's) wait for one channel. Go's sudog, but on the waiter's stack.
struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  G* g = nullptr;
  void* slot = nullptr;         // receiver: std::optional of the element; sender: the element
  claim_word* word = nullptr;   // null: this wait is the only one of its fiber
  std::uint32_t index = 1;      // what to claim the word with
  bool queued = false;
  bool ok = false;              // the waker's answer: a value went over (false: the channel was closed)

  // Whoever takes a waiter out of its queue to wake it must win it first.
  bool win() noexcept { return !word || word->claim(index); }
};

// Under the channel's lock, but for empty_approx().
class wait_queue {
 public:
  constexpr wait_queue() noexcept = default;

  bool empty_approx() const noexcept { return !first_.load(std::memory_order_acquire); }  // [peek]

  void push(waiter* w) noexcept {
    w->next = nullptr;
    w->prev = last_;
    w->queued = true;
    if (last_) last_->next = w;
    else first_.store(w, std::memory_order_release);  // [peek] a look without the lock finds somebody
    last_ = w;
  }
  // For one that was here before and has lost a race.
  void push_front(waiter* w) noexcept {
    waiter* first = first_.load(std::memory_order_relaxed);
    w->prev = nullptr;
    w->next = first;
    w->queued = true;
    if (first) first->prev = w;
    else last_ = w;
    first_.store(w, std::memory_order_release);  // [peek]
  }
  void remove(waiter* w) noexcept {
    if (w->prev) w->prev->next = w->next;
    else first_.store(w->next, std::memory_order_release);  // [peek]
    if (w->next) w->next->prev = w->prev;
    else last_ = w->prev;
    w->queued = false;
  }
  // The longest waiter, decided or not; it stays.
  waiter* first_locked() const noexcept { return first_.load(std::memory_order_relaxed); }
  // The longest waiter that can be won, taken out. Those decided elsewhere are dropped on the way.
  waiter* take() noexcept {
    while (waiter* w = first_.load(std::memory_order_relaxed)) {
      remove(w);
      if (w->win()) return w;
    }
    return nullptr;
  }

 private:
  std::atomic<waiter*> first_{nullptr};
  waiter* last_ = nullptr;
};

// Note [peek]: try-operations look at a channel without its lock and answer "not ready" at once. They
// acquire what they read, so that a second read, of `closed`, is not older than the first.

}  // namespace weft::detail
