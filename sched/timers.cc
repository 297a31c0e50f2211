#include "sched/timers.h"

#include <weft/detail/in_line.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "sched/current.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

// Four children per node: half the levels of a binary heap, and a level's keys share a cache line.
constexpr std::size_t children = 4;

}  // namespace

void timer_heap::place(std::size_t i, entry e) noexcept {
  entries_[i] = e;
  e.node->position = static_cast<std::uint32_t>(i);
}

void timer_heap::sift_up(std::size_t i, entry e) noexcept {
  while (i > 0) {
    const std::size_t parent = (i - 1) / children;
    if (entries_[parent].due <= e.due) break;
    place(i, entries_[parent]);
    i = parent;
  }
  place(i, e);
}

void timer_heap::sift_down(std::size_t i, entry e) noexcept {
  const std::size_t n = entries_.size();
  for (;;) {
    const std::size_t first = i * children + 1;
    if (first >= n) break;
    std::size_t least = first;
    for (std::size_t c = first + 1; c < n && c < first + children; ++c)
      if (entries_[c].due < entries_[least].due) least = c;
    if (entries_[least].due >= e.due) break;
    place(i, entries_[least]);
    i = least;
  }
  place(i, e);
}

void timer_heap::take_out_locked(std::size_t i) noexcept {
  const entry last = entries_.back();
  entries_.pop_back();
  if (i < entries_.size()) {
    if (i > 0 && entries_[(i - 1) / children].due > last.due) sift_up(i, last);
    else sift_down(i, last);
  }
}

void timer_heap::publish_locked() noexcept {
  earliest_.store(entries_.empty() ? never : entries_[0].due, std::memory_order_relaxed);
  size_.store(entries_.size(), std::memory_order_relaxed);
}

bool timer_heap::add(timer_node* t) {
  const std::lock_guard hold(lock_);
  const entry e{t->due, t};
  entries_.push_back(e);
  sift_up(entries_.size() - 1, e);
  t->heap.store(this, std::memory_order_release);  // [timer-home] the node's place before its heap
  publish_locked();
  return t->position == 0;
}

void timer_heap::run_due(std::int64_t now, ready_list& ready) {
  if (earliest() > now) return;
  const std::lock_guard hold(lock_);
  std::uint64_t fired = fired_.load(std::memory_order_relaxed);
  while (!entries_.empty() && entries_[0].due <= now) {
    timer_node* t = entries_[0].node;
    const std::int64_t again = t->fire(t, now, ready);
    ++fired;
    if (again == never) {
      take_out_locked(0);
    } else {
      t->due = again;
      if (in_line.simulated) [[unlikely]]
        t->repeats = 1;
      sift_down(0, {again, t});
    }
  }
  fired_.store(fired, std::memory_order_relaxed);
  publish_locked();
}

bool remove_timer(timer_node* t) {
  const world_scope here(this_m());  // while a world ends, its heaps outlive the threads that have found them
  for (;;) {
    timer_heap* h = t->heap.load(std::memory_order_acquire);  // [timer-home] the heap's accesses to it
    if (!h) return false;
    const std::lock_guard hold(h->lock_);
    if (t->heap.load(std::memory_order_relaxed) != h) continue;  // moved or fired since the read
    h->take_out_locked(t->position);
    h->publish_locked();
    t->let_go();
    return true;
  }
}

void timer_heap::move_to(timer_heap& to) {
  std::vector<entry> all;
  {
    const std::lock_guard hold(lock_);
    all.swap(entries_);
    publish_locked();
    if (all.empty()) return;
    // Both locks, always first the lock of the heap that ends.
    const std::lock_guard hold_to(to.lock_);
    for (const entry& e : all) {
      to.entries_.push_back(e);
      to.sift_up(to.entries_.size() - 1, e);
      e.node->heap.store(&to, std::memory_order_release);  // [timer-home]
    }
    to.publish_locked();
  }
}

void timer_heap::clear() {
  std::vector<timer_node*> forgotten;
  {
    const std::lock_guard hold(lock_);
    for (const entry& e : entries_) {
      if (e.node->forget) forgotten.push_back(e.node);
      e.node->let_go();
    }
    entries_.clear();
    publish_locked();
  }
  for (timer_node* t : forgotten) t->forget(t);
}

void timer_heap::earliest_together(std::vector<timer_node*>& all) {
  const std::lock_guard hold(lock_);
  for (const entry& e : entries_)
    if (e.due == entries_[0].due) all.push_back(e.node);
}

std::int64_t timer_heap::earliest_once() {
  const std::lock_guard hold(lock_);
  std::int64_t due = never;
  for (const entry& e : entries_)
    if (!e.node->repeats) due = std::min(due, e.due);
  return due;
}

void timer_heap::swap_places(timer_node* a, timer_node* b) noexcept {
  const std::lock_guard hold(lock_);
  std::swap(entries_[a->position].node, entries_[b->position].node);
  std::swap(a->position, b->position);
}

// Note [timer-home]: a node's word names the heap that contains it. The word changes only under
// that heap's lock. A thread that needs the node reads the word, takes the lock, and reads the word
// again. The word becomes null as the heap's last access to the node, firing included. So reading
// null acquires all of these accesses, and the node's memory may be freed.

void run_due_timers_everywhere(std::int64_t now, ready_list& ready) {
  world* w = this_m()->w;  // not the_world(): it may have ended
  const int made = w->ps_to_look_at();
  for (int i = 0; i < made; ++i) w->p_at(i)->timers.run_due(now, ready);
}

bool arm_timer_if_possible(timer_node* t) {
  M* m = this_m();
  const world_scope here(m);
  world* w = here.world_or_null();
  if (!w) return sim_arm_timer(t);
  const runtime_call in(m);
  P* p = in.p() ? in.p() : w->p_at(0);
  const std::int64_t due = t->due;  // t may fire and be freed as soon as it is added
  const bool first = p->timers.add(t);
  if (in.p() && (!first || p->queue.alone())) return true;
  // The timer before the read of idle_ps: no P of our own comes to look at it.
  if (!in.p()) std::atomic_thread_fence(std::memory_order_seq_cst);  // [wake-up] S2
  if (in.p() && !m->g && !m->handed) m->left_timer = true;  // it idles next, or handles it once it has work
  else timer_came_first(*w, due);
  return true;
}

void arm_timer(timer_node* t) {
  if (!arm_timer_if_possible(t)) throw panic("timer: no world is running; start one with weft::run");
}

}  // namespace weft::detail
