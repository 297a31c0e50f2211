// Timers: one heap per P, ordered by due time. There is no timer thread. An M that searches for
// work fires the due timers of its own P and of the Ps that it steals from. One idle M sleeps until
// the earliest timer of all.
//
// A timer holds its position in the heap, so stopping it removes it immediately: a server that arms
// and disarms a deadline for each request leaves nothing behind. Refused: lazy deletion, which
// needs sweeping, and keeps a stopped timer's memory until it would have fired.
//
// fire() runs under the heap's lock and only moves something to a list. So once remove_timer() has
// returned false, the timer is no longer being fired and may be freed.
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

// Lies inside the object that waits: a sleeping fiber's frame, a timer object. Not copied or moved.
struct timer_node {
  // Set by the owner before add().
  std::int64_t due = never;
  // Called under the heap's lock when due. Appends what should run to `ready`. Returns when to fire
  // again; or calls let_go() as its last access to the node and returns `never`. Must not block.
  // May take only the lock of a leaf (a lock under which no other lock is taken).
  std::int64_t (*fire)(timer_node*, std::int64_t now, ready_list& ready) = nullptr;
  // May be null. Called instead of fire() if the world ends while the timer is armed; its last
  // access to the node. Under no lock.
  void (*forget)(timer_node*) = nullptr;
  // The heap that contains it, or null. Written under that heap's lock.
  std::atomic<timer_heap*> heap{nullptr};
  std::uint32_t position = 0;  // in the heap, under its lock
  // In a simulation: the schedule that armed it last (its low bits; 0: none), and whether it has
  // fired and stayed armed.
  static constexpr std::uint32_t schedule_bits = 0x7fffffff;
  std::uint32_t schedule : 31 = 0;
  std::uint32_t repeats : 1 = 0;

  // [timer-home] the heap's last access, for a thread that sees the node in no heap
  void let_go() noexcept { heap.store(nullptr, std::memory_order_release); }
};

class alignas(64) timer_heap {
 public:
  // Arms `t`, which must be in no heap, for t->due. Returns true if it is now the earliest.
  bool add(timer_node* t);

  // The earliest due time, or `never`. Any thread, without the lock.
  std::int64_t earliest() const noexcept { return earliest_.load(std::memory_order_relaxed); }

  std::size_t size_approx() const noexcept { return size_.load(std::memory_order_relaxed); }

  // Fires all that are due at `now`. Any M.
  void run_due(std::int64_t now, ready_list& ready);

  // Moves all timers to `to`, for a P that is retired.
  void move_to(timer_heap& to);

  // How many have fired, in any thread.
  std::uint64_t fired() const noexcept { return fired_.load(std::memory_order_relaxed); }
  // Drops all timers: the world has ended.
  void clear();

  // The order in which timers that are due at the same time are fired, for a simulation: adds all
  // that share the earliest time to `all`, and exchanges two of them.
  void earliest_together(std::vector<timer_node*>& all);
  // For a simulation: the due time of the earliest timer that does not repeat, or `never`.
  std::int64_t earliest_once();
  void swap_places(timer_node* a, timer_node* b) noexcept;

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
  std::atomic<std::uint64_t> fired_{0};  // written under lock_
  std::vector<entry> entries_;  // under lock_
};

// Disarms `t`. Returns true if it was armed and has not fired. After the return the node is in no
// heap. Any thread; waits for a fire() of this heap that is under way.
bool remove_timer(timer_node* t);

// Arms `t` on the calling M's P, or from a plain thread on some P, and ensures that an M wakes in
// time. Throws weft::panic when no world runs.
void arm_timer(timer_node* t);
// As arm_timer(), but returns false when no world runs.
bool arm_timer_if_possible(timer_node* t);

// Fires the due timers of every P. For an M that has just woken or searches for work.
void run_due_timers_everywhere(std::int64_t now, ready_list& ready);

}  // namespace weft::detail
