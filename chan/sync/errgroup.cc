// A task first returns its slot and then calls done(), as its last act: the group may be destroyed
// after that.
#include <weft/errgroup.h>

#include <fmt/format.h>
#include <weft/errors.h>

#include <string>

namespace weft {

using namespace detail;

namespace {

std::string words_of(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "a task threw what is no std::exception";
  }
}

}  // namespace

errgroup::with_ctx errgroup::with_context(const context& parent) {
  auto [ctx, cancel] = with_cancel_cause(parent);
  return {errgroup(std::move(cancel)), ctx};
}

errgroup::~errgroup() {
  if (cancel_) (*cancel_)();
  tasks_.wait();
}

// Counted before the place is there: set_limit() must find no task and no call that waits for one.
void errgroup::enter() {
  if (limit_ == 0) throw panic("errgroup: go with a limit of 0 would never return");
  active_.fetch_add(1, std::memory_order_relaxed);
  if (slots_) slots_->acquire();
  tasks_.add(1);
}

std::error_code errgroup::enter(const context& ctx) {
  active_.fetch_add(1, std::memory_order_relaxed);
  const std::error_code e = slots_ ? slots_->acquire(ctx) : ctx.err();
  if (e) active_.fetch_sub(1, std::memory_order_release);  // [limit]
  else tasks_.add(1);
  return e;
}

bool errgroup::try_enter() {
  active_.fetch_add(1, std::memory_order_relaxed);
  const bool entered = !slots_ || slots_->try_acquire();
  if (!entered) active_.fetch_sub(1, std::memory_order_release);  // [limit]
  else tasks_.add(1);
  return entered;
}

void errgroup::leave() noexcept {
  if (slots_) slots_->release();
  active_.fetch_sub(1, std::memory_order_release);  // [limit]
  tasks_.done();
}

// Note [limit]: a task's last use of slots_ precedes its decrement with release; set_limit(), which
// replaces slots_, acquires the 0.

void errgroup::set_limit(std::int64_t n) {
  if (const std::int64_t active = active_.load(std::memory_order_acquire))  // [limit]
    throw panic(fmt::format("errgroup: modify limit while {} tasks are active", active));
  limit_ = n;
  if (n < 0) slots_.reset();
  else slots_.emplace(n);
}

void errgroup::fail(std::error_code e) {
  if (!e) return;
  {
    section hold(lock_);
    if (failed_) return;
    failed_ = true;
    error_ = e;
  }
  if (cancel_) (*cancel_)(e.message());
}

void errgroup::fail(std::exception_ptr e) {
  {
    section hold(lock_);
    if (failed_) return;
    failed_ = true;
    exception_ = e;
  }
  if (cancel_) (*cancel_)(words_of(e));
}

// All tasks have ended.
std::error_code errgroup::outcome() {
  if (cancel_) (*cancel_)();
  std::exception_ptr thrown;
  std::error_code e;
  {
    section hold(lock_);
    thrown = exception_;
    e = error_;
  }
  if (thrown) std::rethrow_exception(thrown);
  return e;
}

std::error_code errgroup::wait() {
  tasks_.wait();
  return outcome();
}

std::error_code errgroup::wait(const context& ctx) {
  if (const std::error_code e = tasks_.wait(ctx)) return e;
  return outcome();
}

}  // namespace weft
