// release() takes the tokens for the first waiter under the lock, before another caller can take
// them, and wakes it afterwards. A waiter whose context has claimed it gets none and is skipped. If
// it was at the head, the waiters behind it are checked: too few tokens for it may be enough for
// them.
#include <fmt/format.h>
#include <weft/errors.h>
#include <weft/semaphore.h>

namespace weft {

using namespace detail;

namespace {

void wake_all(waiter* list) {
  while (waiter* w = list) {
    list = w->next;  // before its owner runs and the record is gone
    ready(w->g);
  }
}

std::error_code wait_for_end_of(const context& ctx) {
  wait_for_bound(wait_reason::semaphore, {.ctx = &ctx});
  return error_of(ctx);
}

}  // namespace

semaphore::semaphore(std::int64_t n) : size_(n), free_(n) { check("a size", n); }

void semaphore::check(const char* what, std::int64_t n) const {
  if (n < 0) throw panic(fmt::format("semaphore: {} of {}", what, n));
}

// With the lock held.
bool semaphore::take_locked(std::int64_t n) noexcept {
  if (free_ < n || !queue_.empty_approx()) return false;
  free_ -= n;
  return true;
}

// With the lock held: returns the waiters at the head whose requests can be served, to be woken in
// this order.
waiter* semaphore::grant_locked() noexcept {
  waiter* first = nullptr;
  waiter** end = &first;
  while (waiter* w = queue_.first_locked()) {
    const std::int64_t n = *static_cast<const std::int64_t*>(w->slot);
    if (n > free_) break;
    queue_.remove(w);
    if (!w->win()) continue;
    free_ -= n;
    w->next = nullptr;
    *end = w;
    end = &w->next;
  }
  return first;
}

void semaphore::acquire(std::int64_t n) {
  check("acquire", n);
  if (n > size_) throw panic(fmt::format("semaphore: acquire of {} where there are {} would never return", n, size_));
  section hold(lock_);
  if (take_locked(n)) return;
  waiter w;
  w.g = self();
  w.slot = &n;
  queue_.push(&w);
  park_queued(wait_reason::semaphore, hold, queue_, w);
}

std::error_code semaphore::acquire(const context& ctx, std::int64_t n) {
  check("acquire", n);
  if (const std::error_code e = error_of(ctx)) return e;
  if (n > size_) return wait_for_end_of(ctx);
  // The context was done before the tokens were taken: returns them.
  const auto unless_over = [&] {
    const std::error_code e = error_of(ctx);
    if (e) release(n);
    return e;
  };
  if (try_acquire(n)) return unless_over();
  bounded_wait hold(&lock_, {.ctx = &ctx});
  if (hold.over_locked()) {
    hold.leave();
    return error_of(ctx);
  }
  if (take_locked(n)) {
    hold.leave();
    return unless_over();
  }
  waiter w;
  w.slot = &n;
  hold.enter(w);
  queue_.push(&w);
  // The tokens may have arrived after the context was done and before its wake-up reached this
  // waiter.
  if (wait_queued(queue_, w, [&] { return hold.park(wait_reason::semaphore); }) == wait_end::granted)
    return unless_over();
  section again(lock_);
  if (w.queued) queue_.remove(&w);
  waiter* granted = grant_locked();
  again.leave();
  wake_all(granted);
  return error_of(ctx);
}

bool semaphore::try_acquire(std::int64_t n) {
  check("try_acquire", n);
  section hold(lock_);
  return take_locked(n);
}

void semaphore::release(std::int64_t n) {
  check("release", n);
  section hold(lock_);
  if (n > size_ - free_) {
    const std::int64_t held = size_ - free_;
    hold.leave();
    throw panic(fmt::format("semaphore: released {} where {} are held", n, held));
  }
  free_ += n;
  waiter* granted = grant_locked();
  hold.leave();
  wake_all(granted);
}

}  // namespace weft
