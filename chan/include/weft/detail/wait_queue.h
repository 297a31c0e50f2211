// The waiters of a channel: records on the waiters' stacks, in the order of their arrival.
#pragma once
#include <weft/detail/fiber.h>
#include <weft/detail/in_line.h>

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

  // Claims this wait. A waker that takes a waiter out of its queue must win this first.
  bool win() noexcept { return !word || word->claim(index); }
};

// Under the channel's lock, but for looks_waiting().
class wait_queue {
 public:
  constexpr wait_queue() noexcept = default;

  bool empty_approx() const noexcept { return !first_.load(std::memory_order_acquire); }  // [peek]
  // For a shortcut: true if a waiter is queued, and in a simulation, which has no shortcuts.
  bool looks_waiting() const noexcept {
    return reinterpret_cast<std::uintptr_t>(first_.load(std::memory_order_acquire)) >= in_line.least;  // [peek]
  }

  void push(waiter* w) noexcept {
    w->next = nullptr;
    w->prev = last_;
    w->queued = true;
    if (last_) last_->next = w;
    else first_.store(w, std::memory_order_release);  // [peek] a read without the lock finds a waiter
    last_ = w;
  }
  // For a waiter that was in the queue before and has lost a race.
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
  // Drops all waiters, whose stacks are gone.
  void clear() noexcept {
    first_.store(nullptr, std::memory_order_release);  // [peek]
    last_ = nullptr;
  }
  // Returns the longest waiter, claimed or not. It stays in the queue.
  waiter* first_locked() const noexcept { return first_.load(std::memory_order_relaxed); }
  // Takes out and returns the longest waiter that can be claimed. Drops claimed waiters before it.
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

// Waits as f() does, with w in `queue`. If f throws, which only the end of a simulation does, takes
// w out.
template <class F>
auto wait_queued(wait_queue& queue, waiter& w, F f) {
  try {
    return f();
  } catch (...) {
    if (w.queued) queue.remove(&w);
    leave_ended_wait();
  }
}
inline void park_queued(wait_reason reason, section& held, wait_queue& queue, waiter& w) {
  wait_queued(queue, w, [&] { park(reason, held); });
}

// Note [peek]: try-operations read a channel without its lock and return "not ready" immediately.
// They acquire what they read, so that a second read, of `state_`, is not older than the first.

}  // namespace weft::detail
