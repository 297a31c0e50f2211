// Refused: numbered tickets and a list of blocked waiters. Every later signal would have to skip
// the ticket of a waiter that has left at its deadline. A record in the queue is taken out.
//
// A caller that returns from wait() has taken the queue's lock after its waker, or was made ready
// after the waker released it. So it may destroy the cond immediately.
#include <weft/cond.h>

namespace weft {

using namespace detail;

void cond::begin(place& p) {
  p.g = self();
  section hold(queue_lock_);
  queue_.push(&p);
}

bool cond::block(place& p, const wait_bound& bound) {
  if (bound.none()) {
    section hold(queue_lock_);
    if (!p.queued) return true;  // signalled already
    p.blocked = true;
    park_queued(wait_reason::cond_wait, hold, queue_, p);
    return true;
  }
  bounded_wait hold(&queue_lock_, bound);
  if (!p.queued) return true;
  if (hold.over_locked()) {
    queue_.remove(&p);
    return false;
  }
  p.blocked = true;
  hold.enter(p);  // from here on it must be claimed
  if (wait_queued(queue_, p, [&] { return hold.park(wait_reason::cond_wait); }) == wait_end::granted) return true;
  section again(queue_lock_);
  if (p.queued) queue_.remove(&p);
  return false;
}

// The caller does not block. A signal that it has received goes to the next waiter.
void cond::abandon(place& p) {
  {
    section hold(queue_lock_);
    if (p.queued) {
      queue_.remove(&p);
      return;
    }
  }
  signal();
}

void cond::signal() {
  if (!queue_.looks_waiting()) return;
  G* blocked = nullptr;
  {
    section hold(queue_lock_);
    const auto* p = static_cast<place*>(queue_.take());
    if (p && p->blocked) blocked = p->g;
  }
  if (blocked) ready(blocked);
}

void cond::broadcast() {
  if (!queue_.looks_waiting()) return;
  waiter* all = nullptr;
  waiter** end = &all;
  {
    section hold(queue_lock_);
    while (auto* p = static_cast<place*>(queue_.take())) {
      if (!p->blocked) continue;
      *end = p;
      end = &p->next;
      p->next = nullptr;
    }
  }
  while (all) {
    waiter* next = all->next;  // before its owner runs and the record is gone
    ready(all->g);
    all = next;
  }
}

}  // namespace weft
