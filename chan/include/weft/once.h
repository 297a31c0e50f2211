// Doing something exactly once. Go's sync.Once, OnceFunc and OnceValue.
#pragma once
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

class once {
 public:
  constexpr once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  // Calls f() if no call has been made yet; blocks until the one call has ended. One that throws
  // counts as made: later calls do nothing. Calling it from inside f deadlocks.
  template <class F>
  void call(F&& f) {
    if (done_.load(std::memory_order_acquire)) return;  // [once] all that f did
    const std::lock_guard hold(mutex_);
    call_locked(std::forward<F>(f));
  }
  // As above, but waits for the one call at most until ctx is done: its error then. f is told nothing of ctx.
  template <class F>
  [[nodiscard]] std::error_code call(const context& ctx, F&& f) {
    if (const std::error_code e = detail::error_of(ctx)) return e;
    if (done_.load(std::memory_order_acquire)) return {};  // [once]
    if (const std::error_code e = mutex_.lock(ctx)) return e;
    const std::lock_guard hold(mutex_, std::adopt_lock);
    call_locked(std::forward<F>(f));
    return {};
  }

 private:
  template <class F>
  void call_locked(F&& f) {
    if (done_.load(std::memory_order_relaxed)) return;
    struct mark_done {
      std::atomic<bool>& done;
      ~mark_done() { done.store(true, std::memory_order_release); }  // [once]
    } mark{done_};
    std::forward<F>(f)();
  }

  std::atomic<bool> done_{false};
  mutex mutex_;
};

namespace detail {

struct no_result {};

// A function that is called once, and what came of it.
template <class F, class R>
class once_state {
 public:
  template <class A>
  explicit once_state(A&& f) : f_(std::in_place, std::forward<A>(f)) {}

  // Calls the function if nobody has; rethrows what it threw.
  void call() {
    once_.call([this] { run(); });
    if (failure_) [[unlikely]]
      std::rethrow_exception(failure_);
  }
  R& value() noexcept { return *value_; }

 private:
  void run() {
    struct release {
      std::optional<F>& f;
      ~release() { f.reset(); }
    } at_end{f_};
    try {
      if constexpr (std::is_same_v<R, no_result>) (*f_)();
      else value_.emplace((*f_)());
    } catch (const goexit_signal&) {
      failure_ = std::make_exception_ptr(panic("sync: the once function called goexit"));
      throw;
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  once once_;
  std::optional<F> f_;  // until it has run
  std::optional<R> value_;
  std::exception_ptr failure_;
};

}  // namespace detail

// A function object that calls f at its first call only; copies share that. Concurrent callers wait for
// the one call to end. What f throws, every call throws, the same object each time. f itself is
// destroyed after its call. If f calls goexit, later calls throw weft::panic. Go's sync.OnceFunc.
template <class F>
auto once_func(F&& f) {
  using state = detail::once_state<std::decay_t<F>, detail::no_result>;
  return [s = std::make_shared<state>(std::forward<F>(f))] { s->call(); };
}

// As above with f's result: every call returns a reference to the one value, which lives as long as a
// copy of the function object. Go's sync.OnceValue.
template <class F>
auto once_value(F&& f) {
  using value = std::decay_t<std::invoke_result_t<std::decay_t<F>&>>;
  using state = detail::once_state<std::decay_t<F>, value>;
  return [s = std::make_shared<state>(std::forward<F>(f))]() -> const value& {
    s->call();
    return s->value();
  };
}

// Note [once]: the caller that runs f releases `done_` after it; whoever sees it true acquires that.

}  // namespace weft
