// Timers: a heap per P, ordered by due time. There is no timer thread; whoever looks for work
// runs what is due, thieves included, and the M that sleeps for all sleeps until the earliest.
//
// A timer knows its place in the heap, so stopping takes it out at once: a server that arms and
// disarms a deadline per request leaves nothing behind. Refused: lazy deletion, which needs
// sweeping, and keeps a stopped timer's memory until it would have fired.
//
// fire() runs under the heap's lock and only moves something to a list, so once remove() has
// returned false the timer is not being fired any more and may be freed.
#pragma once
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/clock.h"
#include "sched/ready_list.h"

namespace weft::detail {

class timer_heap;

// Lies inside whatever waits: a sleeping fiber's frame, a timer object. Not copied or moved.
struct timer_node {
  // Set by the owner before add().
  std::int64_t due = never;
  // Called under the heap's lock when due. Puts what should run into `ready`. Returns when to fire
  // again; or calls let_go() as its last touch of the node and returns `never`. Must not block, nor
  // take a lock but a leaf's.
  std::int64_t (*fire)(timer_node*, std::int64_t now, ready_list& ready) = nullptr;
  // Null, or called instead of fire() when the world ends while it is armed; its last touch of the node. Under no lock.
  void (*forget)(timer_node*) = nullptr;
  // The heap it is in, or null. Written under that heap's lock.
  std::atomic<timer_heap*> heap{nullptr};
  std::uint32_t position = 0;  // in the heap, under its lock

  // [timer-home] the heap's last touch, for whoever sees that the node is in no heap
  void let_go() noexcept { heap.store(nullptr, std::memory_order_release); }
};

class alignas(64) timer_heap {
 public:
  // Arms `t`, which must be in no heap, for t->due. Returns true if it is now the earliest.
  bool add(timer_node* t);

  // The earliest due time, or `never`. Any thread, without the lock.
  std::int64_t earliest() const noexcept { return earliest_.load(std::memory_order_relaxed); }

  std::size_t size_approx() const noexcept { return size_.load(std::memory_order_relaxed); }

  // Fires all that are due at `now`. Any M. Returns how many.
  std::size_t run_due(std::int64_t now, ready_list& ready);

  // Moves everything to `to`; for a P that is given up.
  void move_to(timer_heap& to);

  // Forgets all timers: the world has ended.
  void clear();

 private:
  friend bool remove_timer(timer_node* t);
  struct entry {
    std::int64_t due;
    timer_node* node;
  };
  void place(std::size_t i, entry e) noexcept;
  void sift_up(std::size_t i, entry e) noexcept;
  void sift_down(std::size_t i, entry e) noexcept;
  void take_out_locked(std::size_t i) noexcept;
  void publish_locked() noexcept;

  spin_lock lock_;
  std::atomic<std::int64_t> earliest_{never};
  std::atomic<std::size_t> size_{0};
  std::vector<entry> entries_;  // under lock_
};

// Disarms `t`: true if it was armed and has not fired. After it returned the node is in no heap.
// Any thread; waits for a fire() of this heap that is under way.
bool remove_timer(timer_node* t);

// Arms `t` on the calling M's P, or on some P from a plain thread, and sees to it that somebody
// wakes in time. Throws weft::panic when no world runs.
void arm_timer(timer_node* t);
// As arm_timer; false when no world runs.
bool arm_timer_if_possible(timer_node* t);

// Fires what is due on every P. For an M that has just woken or looks for work.
void run_due_timers_everywhere(std::int64_t now, ready_list& ready);

}  // namespace weft::detail
