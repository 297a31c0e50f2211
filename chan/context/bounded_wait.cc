#include <weft/detail/bounded_wait.h>
#include <weft/detail/channel.h>

#include <algorithm>

namespace weft::detail {

std::size_t bounded_wait::order_locks() noexcept {
  spin_lock* done_lock = done_ ? &done_->lock() : nullptr;
  if (done_lock == lock_) done_ = nullptr;  // the wait is for that channel: its closing ends the wait
  std::size_t n = 0;
  if (lock_) locks_[n++] = lock_;
  if (done_) locks_[n++] = done_lock;
  if (n == 2 && std::less<>()(locks_[1], locks_[0])) std::swap(locks_[0], locks_[1]);
  return n;
}

bounded_wait::bounded_wait(spin_lock* lock, const wait_bound& bound)
    : lock_(lock),
      done_(bound.ctx ? done_channel(*bound.ctx) : nullptr),
      deadline_ns_(bound.deadline_ns),
      hold_({locks_.data(), order_locks()}),
      over_(done_ && done_->closed_locked()) {}

void bounded_wait::check_context() const { done_->panic_of_wait_if_ended(); }

void bounded_wait::enter(waiter& w) noexcept {
  w.g = self();
  w.word = &word_;
  w.index = 1;
  w.ok = false;
}

wait_end bounded_wait::park(wait_reason reason) {
  if (done_) {
    listener_.g = self();
    listener_.word = &word_;
    listener_.index = by_context;
    done_->receivers().push(&listener_);
  }
  commit_fn leave_locks = [](G*, void* held) { static_cast<sections*>(held)->leave(); };
  if (!lock_ && !done_) {  // no lock would keep this frame until the commit has run
    leave();
    leave_locks = nullptr;
  }
  try {
    if (deadline_ns_ == no_deadline) detail::park(reason, leave_locks, &hold_);
    else park_until(reason, leave_locks, &hold_, word_, deadline_ns_);
  } catch (...) {  // the end of a simulation
    if (listener_.queued) done_->receivers().remove(&listener_);
    throw;  // to the handler of the primitive's queue
  }

  const std::uint32_t by = word_.decided();
  if (done_ && by != by_context) {
    section again(done_->lock());
    if (listener_.queued) done_->receivers().remove(&listener_);
  }
  return by == by_context ? wait_end::canceled : by == claim_word::timed_out ? wait_end::timed_out : wait_end::granted;
}

wait_end bounded_wait::park_in(wait_queue& queue, waiter& w, wait_reason reason) {
  enter(w);
  queue.push(&w);
  const wait_end end = wait_queued(queue, w, [&] { return park(reason); });
  if (end == wait_end::granted) return end;
  section again(*lock_);
  if (w.queued) queue.remove(&w);
  return end;
}

wait_end wait_for_bound(wait_reason reason, const wait_bound& bound) {
  bounded_wait wait(nullptr, bound);
  if (wait.over_locked()) return wait_end::canceled;
  try {
    return wait.park(reason);
  } catch (...) {  // the end of a simulation
    leave_ended_wait();
  }
}

}  // namespace weft::detail
