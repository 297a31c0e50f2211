#include "net/half.h"

#include <unistd.h>
#include <weft/detail/bounded_wait.h>
#include <weft/detail/channel.h>

#include <array>
#include <functional>
#include <mutex>
#include <utility>

#include "runtime/fatal.h"
#include "sched/spawn_into.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// As half::commit(), with the locks of a half and of a context. The list of them lies on the fiber's stack: the fiber
// takes both once more before it leaves that.
void commit_both(G* g, void* of) {
  auto* op = static_cast<io_op*>(of);
  auto* held = static_cast<sections*>(op->held);
  const bool waits = op->word.wait();
  held->leave();
  if (!waits) ready(g);
}

void ring_thread(const io_op& op) noexcept {
  const std::uint64_t one = 1;
  (void)!write(op.wake_fd, &one, sizeof one);
}

}  // namespace

std::error_code to_error(ending why, const context* ctx) {
  switch (why) {
    case ending::closed: return errc::closed;
    case ending::timeout: return errc::timeout;
    case ending::context: return error_of(*ctx);
    case ending::none: break;
  }
  return {};
}

half::half() noexcept {
  timer_.fire = look_at_deadline;
  timer_.of = this;
}

ending half::wait_for_turn(const context* ctx) {
  bounded_wait hold(&lock_, {.ctx = ctx});
  ending e = over_;
  if (e == ending::none && hold.over_locked()) e = ending::context;
  if (e != ending::none || !taken_) {
    if (e == ending::none) taken_ = true;
    hold.leave();
    return e;
  }
  waiter w;
  const wait_end got = hold.park_in(queue_, w, wait_reason::io_wait);
  if (got != wait_end::granted) return ending::context;
  return w.ok ? ending::none : ending::closed;
}

ending half::over() {
  section hold(lock_);
  return over_;
}

// The next in line has the turn, and runs. False if all have given up.
bool half::pass_on(section& hold) {
  waiter* next = queue_.take();
  if (!next) return false;
  next->ok = true;
  G* g = next->g;
  hold.leave();
  ready(g);
  return true;
}

void half::never_began() { fatal("net: an operation on a descriptor ends that never began"); }

void half::commit(G* g, void* of) {
  auto* op = static_cast<io_op*>(of);
  auto* lock = static_cast<spin_lock*>(op->held);
  m_face* const m = this_m_face();
  const bool waits = op->word.wait();
  section::leave(lock, m);
  if (!waits) ready(g, m);
}

bool half::wait(io_op& op, const context* ctx, ending& why) {
  if (ctx) return wait_with(op, *ctx, why);
  section hold(lock_);
  why = over_;
  if (why != ending::none || op.word.done()) {
    hold.leave();
    return op.word.done();
  }
  waiting_ = &op;
  op.held = hold.hand_over();
  park(wait_reason::io_wait, commit, &op);
  return ended(op, why);
}

bool half::ended(const io_op& op, ending& why) {
  {
    section again(lock_);
    waiting_ = nullptr;
  }
  const std::uint32_t by = op.word.decided();
  if (by == op_word::by_completion) return true;
  why = by == op_word::by_close ? ending::closed : by == op_word::by_timer ? ending::timeout : ending::context;
  return false;
}

// The context's end ends the wait too.
bool half::wait_with(io_op& op, const context& ctx, ending& why) {
  channel_base* const done = done_channel(ctx);
  std::array<spin_lock*, 2> locks{&lock_, done ? &done->lock() : nullptr};
  if (done && std::less<>()(locks[1], locks[0])) std::swap(locks[0], locks[1]);
  sections hold({locks.data(), done ? 2U : 1U});
  why = over_;
  if (why == ending::none && done && done->closed_locked()) why = ending::context;
  if (why != ending::none || op.word.done()) {
    hold.leave();
    return op.word.done();
  }
  waiting_ = &op;
  waiter listener;
  if (done) {
    listener.g = op.g;
    listener.word = &op.word;
    listener.index = op_word::by_context;
    done->receivers().push(&listener);
  }
  op.held = &hold;
  park(wait_reason::io_wait, commit_both, &op);
  const bool heard = ended(op, why);
  if (done && why != ending::context) {
    section again(done->lock());
    if (listener.queued) done->receivers().remove(&listener);
  }
  return heard;
}

ending half::listen(io_op& op) {
  section hold(lock_);
  if (over_ == ending::none) waiting_ = &op;
  return over_;
}

void half::stop_listening() {
  section hold(lock_);
  waiting_ = nullptr;
}

// With the lock: the fiber to be made ready, unless another event has ended its wait before.
G* half::end_wait_locked(std::uint32_t why) noexcept {
  io_op* op = waiting_;
  if (!op || !op->word.claim(why)) return nullptr;
  if (op->wake_fd < 0) return op->g;
  ring_thread(*op);
  return nullptr;
}

bool half::close() {
  waiter* first = nullptr;
  section hold(lock_);
  over_ = ending::closed;
  const bool taken = taken_;
  G* g = end_wait_locked(op_word::by_close);
  for (waiter** end = &first; waiter* w = queue_.take(); end = &w->next) {
    w->next = nullptr;
    *end = w;
  }
  hold.leave();
  if (g) ready(g);
  while (waiter* w = first) {
    first = w->next;  // before its owner runs and the record is gone
    ready(w->g);
  }
  return taken;
}

std::int64_t half::deadline() {
  section hold(lock_);
  return deadline_;
}

void half::set_deadline(std::int64_t at) {
  section hold(lock_);
  if (over_ == ending::closed) return;
  deadline_ = at;
  // Mostly far away, which is cheaply seen.
  const bool expired = at != never && at <= coarse_now_ns() + coarse_ns && at <= now_ns();
  over_ = expired ? ending::timeout : ending::none;
  G* g = expired ? end_wait_locked(op_word::by_timer) : nullptr;
  if (waiting_ && waiting_->wake_fd >= 0) ring_thread(*waiting_);  // it looks at the clock itself
  const bool in_heap = armed_ && timer_.heap.load(std::memory_order_relaxed);  // a world may have ended since
  const bool must_arm = at != never && !expired && (!in_heap || at < armed_for_);
  hold.leave();
  if (g) ready(g);
  if (must_arm) arm();
}

void half::arm() {
  const std::lock_guard one_at_a_time(arming_);
  remove_timer(&timer_);
  {
    section hold(lock_);
    armed_ = over_ == ending::none && deadline_ != never;
    if (!armed_) return;
    armed_for_ = timer_.due = deadline_;
  }
  if (arm_timer_if_possible(&timer_)) return;
  section hold(lock_);  // no world: plain threads look at the clock themselves
  armed_ = false;
}

void half::forget_timer() {
  const std::lock_guard one_at_a_time(arming_);
  remove_timer(&timer_);
}

std::int64_t half::look_at_deadline(timer_node* t, std::int64_t now, ready_list& list) {
  half* const h = static_cast<timer*>(t)->of;
  section hold(h->lock_);
  const bool closed = h->over_ == ending::closed;
  const bool moved = !closed && h->deadline_ != never && h->deadline_ > now;
  if (moved) return h->armed_for_ = h->deadline_;
  G* g = nullptr;
  if (!closed && h->deadline_ != never) {
    h->over_ = ending::timeout;
    g = h->end_wait_locked(op_word::by_timer);
  }
  h->armed_ = false;
  hold.leave();
  t->let_go();
  if (g) ready_into(list, g);
  return never;
}

}  // namespace weft::detail
