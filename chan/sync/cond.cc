// Refused: numbered tickets and a list of those who block already. A ticket whose owner has given
// up at its deadline would have to be found again by every later signal; a record in the queue is
// simply taken out.
//
// Whoever returns from wait() has passed through the queue's lock after its waker, or was made
// ready after the waker let go of it: so it may destroy the cond at once.
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
    park(wait_reason::cond_wait, hold);
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
  if (hold.park(wait_reason::cond_wait) == wait_end::granted) return true;
  section again(queue_lock_);
  if (p.queued) queue_.remove(&p);
  return false;
}

// The caller will not block after all. A signal that it was given goes to the next.
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
  if (queue_.empty_approx()) return;
  G* blocked = nullptr;
  {
    section hold(queue_lock_);
    const auto* p = static_cast<place*>(queue_.take());
    if (p && p->blocked) blocked = p->g;
  }
  if (blocked) ready(blocked);
}

void cond::broadcast() {
  if (queue_.empty_approx()) return;
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
