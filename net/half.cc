#include <unistd.h>
#include <weft/detail/bounded_wait.h>
#include <weft/detail/channel.h>

#include <array>
#include <functional>
#include <mutex>
#include <utility>

#include "net/descriptor.h"
#include "sched/spawn_into.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// Parks until op is completed or its word is claimed. `held` is given up once the fiber is off its stack.
void park_for(io_op& op, sections& held) {
  struct parking {
    sections* held;
    io_op* op;
  } arg{&held, &op};
  park(
      wait_reason::io_wait,
      [](G* g, void* at) {
        const parking p = *static_cast<parking*>(at);
        auto found = io_op::progress::under_way;
        // [op] from here on the completion may run the fiber; before the locks are given up nobody else does
        const bool waits = p.op->state.compare_exchange_strong(found, io_op::progress::waited_for,
                                                               std::memory_order_acq_rel, std::memory_order_acquire);
        p.held->leave();
        if (!waits) ready(g);
      },
      &arg);
}

void ring_thread(const io_op& op) noexcept {
  const std::uint64_t one = 1;
  (void)!write(op.wake_fd, &one, sizeof one);
}

}  // namespace

half::half() noexcept {
  timer_.fire = look_at_deadline;
  timer_.of = this;
}

std::error_code half::over_locked() const noexcept {
  if (closed_) return errc::closed;
  if (expired_) return errc::timeout;
  return {};
}

std::error_code half::begin(const context* ctx) {
  if (ctx)
    if (const std::error_code e = error_of(*ctx)) return e;
  {
    section hold(lock_);
    if (const std::error_code e = over_locked()) return e;
    if (!taken_) {
      taken_ = true;
      return {};
    }
  }
  std::error_code e;
  bounded_wait hold(&lock_, {.ctx = ctx});
  e = over_locked();
  if (e || hold.over_locked() || !taken_) {
    if (!e && hold.over_locked()) e = error_of(*ctx);
    if (!e) taken_ = true;
    hold.leave();
    return e;
  }
  waiter w;
  const wait_end got = hold.park_in(queue_, w, wait_reason::io_wait);
  if (got != wait_end::granted) return error_of(*ctx);
  {
    section again(lock_);
    e = over_locked();
  }
  if (e && w.ok) end();
  return e;
}

void half::end() {
  section hold(lock_);
  waiter* next = queue_.take();
  if (!next) {
    taken_ = false;
    return;
  }
  next->ok = true;
  G* g = next->g;
  hold.leave();
  ready(g);
}

bool half::wait(io_op& op, const context* ctx, std::error_code& why) {
  channel_base* const done = ctx ? done_channel(*ctx) : nullptr;
  std::array<spin_lock*, 2> locks{&lock_, done ? &done->lock() : nullptr};
  if (done && std::less<>()(locks[1], locks[0])) std::swap(locks[0], locks[1]);
  // It and the list live until both locks have been taken once more below: the other side of the switch gives
  // them up, and a completion, which takes none, may wake this fiber before that.
  sections hold({locks.data(), done ? 2U : 1U});
  why = over_locked();
  const bool canceled = !why && done && done->closed_locked();
  if (why || canceled || op.done()) {
    hold.leave();
    if (canceled) why = error_of(*ctx);
    return op.done();
  }
  waiting_ = &op;
  waiter listener;
  if (done) {
    listener.g = op.g;
    listener.word = &op.word;
    listener.index = io_op::by_context;
    done->receivers().push(&listener);
  }
  park_for(op, hold);
  const std::uint32_t by = op.word.decided();
  {
    section again(lock_);
    waiting_ = nullptr;
  }
  if (done && by != io_op::by_context) {
    section again(done->lock());
    if (listener.queued) done->receivers().remove(&listener);
  }
  if (by == io_op::by_close) why = errc::closed;
  if (by == io_op::by_timer) why = errc::timeout;
  if (by == io_op::by_context) why = error_of(*ctx);
  return by == io_op::by_completion;
}

std::error_code half::listen(io_op& op) {
  section hold(lock_);
  if (const std::error_code e = over_locked()) return e;
  waiting_ = &op;
  return {};
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

void half::close() {
  waiter* first = nullptr;
  section hold(lock_);
  closed_ = true;
  G* g = end_wait_locked(io_op::by_close);
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
}

std::int64_t half::deadline() {
  section hold(lock_);
  return deadline_;
}

void half::set_deadline(std::int64_t at) {
  section hold(lock_);
  if (closed_) return;
  deadline_ = at;
  // Mostly far away, which is cheaply seen.
  expired_ = at != never && at <= coarse_now_ns() + coarse_ns && at <= now_ns();
  G* g = expired_ ? end_wait_locked(io_op::by_timer) : nullptr;
  if (waiting_ && waiting_->wake_fd >= 0) ring_thread(*waiting_);  // it looks at the clock itself
  const bool in_heap = armed_ && timer_.heap.load(std::memory_order_relaxed);  // a world may have ended since
  const bool must_arm = at != never && !expired_ && (!in_heap || at < armed_for_);
  hold.leave();
  if (g) ready(g);
  if (must_arm) arm();
}

void half::arm() {
  const std::lock_guard one_at_a_time(arming_);
  remove_timer(&timer_);
  {
    section hold(lock_);
    armed_ = !closed_ && !expired_ && deadline_ != never;
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
  const bool moved = !h->closed_ && h->deadline_ != never && h->deadline_ > now;
  if (moved) return h->armed_for_ = h->deadline_;
  G* g = nullptr;
  if (!h->closed_ && h->deadline_ != never) {
    h->expired_ = true;
    g = h->end_wait_locked(io_op::by_timer);
  }
  h->armed_ = false;
  hold.leave();
  t->let_go();
  if (g) ready_into(list, g);
  return never;
}

}  // namespace weft::detail
