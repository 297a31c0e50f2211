// Waits with a deadline.
#include "runtime/futex.h"
#include "sched/current.h"
#include "sched/g.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/timers.h"

namespace weft::detail {
namespace {

struct deadline : timer_node {
  claim_word* word = nullptr;
  G* g = nullptr;
  commit_fn commit = nullptr;
  void* arg = nullptr;
  spin_lock arming;  // held from before the park until its other side has touched this for the last time
};

std::int64_t give_up_waiting(timer_node* t, std::int64_t, ready_list& list) {
  auto* d = static_cast<deadline*>(t);
  G* g = d->g;
  const bool won = d->word->claim(claim_word::timed_out);
  // If the claim was lost, the fiber finds the node removed and may return: nothing of it is used
  // below.
  d->let_go();
  if (won) {
    g->state.store(g_state::runnable, std::memory_order_relaxed);
    list.push(g);
  }
  return never;
}

void park_plain_thread_until(commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns) {
  G* g = self();
  g->woken.store(0, std::memory_order_relaxed);
  if (commit) commit(g, arg);
  while (g->woken.load(std::memory_order_acquire) == 0) {  // [plain]
    if (futex_wait(g->woken, 0, deadline_ns)) continue;
    if (word.claim(claim_word::timed_out)) return;
    deadline_ns = never;  // decided: the wake-up is on its way
  }
}

}  // namespace

void park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns) {
  if (!in_fiber()) {
    if (sim_park_until(reason, commit, arg, word, deadline_ns)) return;
    park_plain_thread_until(commit, arg, word, deadline_ns);
    return;
  }
  deadline d;
  d.due = deadline_ns;
  d.fire = give_up_waiting;
  d.word = &word;
  d.g = self();
  d.commit = commit;
  d.arg = arg;
  d.arming.lock();
  park(
      reason,
      [](G* g, void* at) {
        auto* wait = static_cast<deadline*>(at);
        // The locks are released before the timer's lock is taken: a timer that fires holds the
        // timer's lock and takes a channel's. The caller may be woken in between; it waits for
        // `arming` before it leaves.
        if (wait->commit) wait->commit(g, wait->arg);
        arm_timer(wait);
        wait->arming.unlock();
      },
      &d);
  d.arming.lock();
  remove_timer(&d);
}

std::uint64_t cheap_random() noexcept {
  const runtime_call in(this_m());
  if (P* p = in.p()) return p->random.next();
  if (std::uint64_t v = 0; sim_random(v)) return v;
  static thread_local random_source r;
  return r.next();
}

}  // namespace weft::detail
