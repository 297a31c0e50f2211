#include "net/fd/direction.h"

#include <unistd.h>
#include <weft/detail/bounded_wait.h>
#include <weft/detail/channel.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "runtime/fatal.h"
#include "sched/g.h"
#include "sched/ready.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// As direction::commit(), with the locks of a direction and of a context. The list of them lies on
// the fiber's stack: the fiber takes both once more before it leaves that.
void commit_both(G* g, void* of) {
  auto* op = static_cast<io_op*>(of);
  auto* held = static_cast<sections*>(op->held);
  const bool waits = op->word.wait();
  held->leave();
  if (!waits) ready(g);
}

bool is_abandoned(G& g) noexcept { return std::atomic_ref(g.flags).load(std::memory_order_relaxed) & abandoned; }

void ring_thread(const io_op& op) noexcept {
  const std::uint64_t one = 1;
  (void)!write(op.wake_fd, &one, sizeof one);
}

}  // namespace

std::error_code to_error(wait_result why, const context* ctx) {
  switch (why) {
    case wait_result::closed: return errc::closed;
    case wait_result::timeout: return errc::timeout;
    case wait_result::context: return error_of(*ctx);
    case wait_result::completed:
    case wait_result::none: break;
  }
  return {};
}

direction::direction() noexcept {
  timer_.fire = look_at_deadline;
  timer_.of = this;
}

wait_result direction::wait_for_lock(const context* ctx) {
  bounded_wait hold(&lock_, {.ctx = ctx});
  wait_result e = over_;
  if (e == wait_result::none && hold.over_locked()) e = wait_result::context;
  if (e != wait_result::none || !taken_) {
    if (e == wait_result::none) taken_ = true;
    hold.leave();
    return e;
  }
  waiter w;
  const wait_end got = hold.park_in(queue_, w, wait_reason::io_wait);
  if (got != wait_end::granted) return wait_result::context;
  return w.ok ? wait_result::none : wait_result::closed;
}

wait_result direction::over() {
  section hold(lock_);
  return over_;
}

// The next in the queue has the lock, and runs. False if all have given up.
bool direction::pass_on(section& hold) {
  waiter* next = queue_.take();
  if (!next) return false;
  next->ok = true;
  G* g = next->g;
  hold.leave();
  ready(g);
  return true;
}

void direction::not_locked() { fatal("net: an operation on a descriptor ends that never began"); }

void direction::commit(G* g, void* of) {
  auto* op = static_cast<io_op*>(of);
  auto* lock = static_cast<spin_lock*>(op->held);
  m_face* const m = this_m_face();
  const bool waits = op->word.wait();
  section::leave(lock, m);
  if (!waits) ready(g, m);
}

bool direction::wait(io_op& op, const context* ctx, wait_result& why) {
  if (ctx) return wait_with(op, *ctx, why);
  section hold(lock_);
  why = over_;
  if (why != wait_result::none || op.word.done()) {
    hold.leave();
    return op.word.done();
  }
  waiting_ = &op;
  op.held = hold.hand_over();
  park(wait_reason::io_wait, commit, &op);
  return ended(op, why);
}

bool direction::ended(const io_op& op, wait_result& why) {
  {
    section again(lock_);
    waiting_ = nullptr;
  }
  const wait_result by = op.word.result();
  if (by == wait_result::completed) return true;
  why = by;
  return false;
}

// The context's end ends the wait too.
bool direction::wait_with(io_op& op, const context& ctx, wait_result& why) {
  channel_base* const done = done_channel(ctx);
  std::array<spin_lock*, 2> locks{&lock_, done ? &done->lock() : nullptr};
  if (done && std::less<>()(locks[1], locks[0])) std::swap(locks[0], locks[1]);
  sections hold({locks.data(), done ? 2U : 1U});
  why = over_;
  // The context of a simulation that has ended ends no wait.
  if (why == wait_result::none && done && done->closed_locked() && !done->ended_locked()) why = wait_result::context;
  if (why != wait_result::none || op.word.done()) {
    hold.leave();
    return op.word.done();
  }
  waiting_ = &op;
  waiter listener;
  if (done) {
    listener.g = op.g;
    listener.word = &op.word;
    listener.index = to_word(wait_result::context);
    done->receivers().push(&listener);
  }
  op.held = &hold;
  park(wait_reason::io_wait, commit_both, &op);
  const bool completed = ended(op, why);
  if (done && why != wait_result::context) {
    section again(done->lock());
    if (listener.queued) done->receivers().remove(&listener);
  }
  return completed;
}

wait_result direction::listen(io_op& op) {
  section hold(lock_);
  if (over_ == wait_result::none) waiting_ = &op;
  return over_;
}

void direction::stop_listening() {
  section hold(lock_);
  waiting_ = nullptr;
}

// With the lock: the fiber to be made ready, unless another event has ended its wait before.
G* direction::end_wait_locked(wait_result why) noexcept {
  io_op* op = waiting_;
  if (!op || !op->word.claim(to_word(why))) return nullptr;
  if (op->wake_fd < 0) return op->g;
  ring_thread(*op);
  return nullptr;
}

direction::closed direction::close() {
  waiter* first = nullptr;
  section hold(lock_);
  over_ = wait_result::closed;
  closed was;
  was.taken = taken_ && !(waiting_ && waiting_->wake_fd < 0 && is_abandoned(*waiting_->g));
  G* g = end_wait_locked(wait_result::closed);
  for (waiter** end = &first; waiter* w = queue_.take(); end = &w->next) {
    w->next = nullptr;
    *end = w;
  }
  hold.leave();
  if (g) ready(g);
  while (waiter* w = first) {
    first = w->next;  // before its owner runs and the record is gone
    if (is_abandoned(*w->g)) ++was.abandoned;
    ready(w->g);
  }
  return was;
}

std::int64_t direction::deadline() {
  section hold(lock_);
  return deadline_;
}

void direction::set_deadline(std::int64_t at) {
  section hold(lock_);
  if (over_ == wait_result::closed) return;
  deadline_ = at;
  // Usually far away: the coarse clock is enough to find that.
  const bool expired = at != never && at <= coarse_now_ns() + coarse_ns && at <= now_ns();
  over_ = expired ? wait_result::timeout : wait_result::none;
  G* g = expired ? end_wait_locked(wait_result::timeout) : nullptr;
  if (waiting_ && waiting_->wake_fd >= 0) ring_thread(*waiting_);  // it looks at the clock itself
  const bool in_heap = armed_ && timer_.heap.load(std::memory_order_relaxed);  // a world may have ended since
  const bool must_arm = at != never && !expired && (!in_heap || at < armed_for_);
  hold.leave();
  if (g) ready(g);
  if (must_arm) arm();
}

void direction::arm() {
  const std::lock_guard one_at_a_time(arming_);
  remove_timer(&timer_);
  {
    section hold(lock_);
    armed_ = over_ == wait_result::none && deadline_ != never;
    if (!armed_) return;
    armed_for_ = timer_.due = deadline_;
  }
  if (arm_timer_if_possible(&timer_)) return;
  section hold(lock_);  // no world: plain threads look at the clock themselves
  armed_ = false;
}

void direction::forget_timer() {
  const std::lock_guard one_at_a_time(arming_);
  remove_timer(&timer_);
}

std::int64_t direction::look_at_deadline(timer_node* t, std::int64_t now, ready_list& list) {
  direction* const d = static_cast<timer*>(t)->of;
  section hold(d->lock_);
  const bool closed = d->over_ == wait_result::closed;
  const bool moved = !closed && d->deadline_ != never && d->deadline_ > now;
  if (moved) return d->armed_for_ = d->deadline_;
  G* g = nullptr;
  if (!closed && d->deadline_ != never) {
    d->over_ = wait_result::timeout;
    g = d->end_wait_locked(wait_result::timeout);
  }
  d->armed_ = false;
  hold.leave();
  t->let_go();
  if (g) ready_into(list, g);
  return never;
}

}  // namespace weft::detail
