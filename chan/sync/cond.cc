// Refused: numbered tickets and a list of those who block already. A ticket whose owner has given
// up at its deadline would have to be found again by every later signal; a record in the queue is
// simply taken out.
//
// Whoever returns from wait() has passed through the queue's lock after its waker, or was made
// ready after the waker let go of it: so it may destroy the cond at once.
#include <weft/cond.h>

#include "runtime/clock.h"

namespace weft {

using namespace detail;

void cond::begin(place& p, std::int64_t deadline_ns) {
  p.g = self();
  if (deadline_ns != never) p.word = &p.decision;
  section hold(queue_lock_);
  queue_.push(&p);
}

bool cond::block(place& p, std::int64_t deadline_ns) {
  section hold(queue_lock_);
  if (!p.queued) return true;  // signalled already
  p.blocked = true;
  if (!p.word) {
    park(wait_reason::cond_wait, hold);
    return true;
  }
  park_until(
      wait_reason::cond_wait, [](G*, void* h) { static_cast<section*>(h)->leave(); }, &hold, p.decision, deadline_ns);
  if (p.decision.decided() != claim_word::timed_out) return true;
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
