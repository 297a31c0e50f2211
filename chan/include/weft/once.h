// Calling a function exactly once. Go's sync.Once, OnceFunc and OnceValue.
//
//   static weft::once init;
//   init.call([] { load_tables(); });           // the first caller runs it, the others wait for it
//   auto table = weft::once_value(read_table);  // table() runs read_table at the first call
//
// A function-local static does the same, but a fiber that waits for it blocks its OS thread.
//
//            f is called   if f throws                       a later caller gets
//   once        by call()  the first caller gets it          nothing: it returns
//   once_func   at most    every caller gets the exception   the same exception
//   once_value   once      every caller gets the exception   a reference to the value, or the same
//
// Everything that f did is visible to each caller when its call returns. After the first call a
// call costs one load and a branch. once_func and once_value allocate once, when they are made; a
// once allocates nothing.
//
// A fiber that waits in call() is parked: its OS thread runs other fibers. If f waits for one of
// these callers, all of them wait without end, and the deadlock verdict names them.
//
// The context of call(ctx, f) bounds the wait for another caller only. To end f itself, pass it a
// context.
//
// A once is never reset. For an initialisation that may be tried again after a failure, use a mutex
// and a std::optional:
//
//   const std::lock_guard hold(lock);
//   if (!connection) connection = dial();             // throws: the next caller tries again
//
// All functions may be called from fibers and plain threads, not from signal handlers.
#pragma once
#include <weft/detail/in_line.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {
// What the load above says, for a caller that it does not say it to: a simulation, in which it is a
// scheduling point.
bool once_was_called(const std::atomic<std::uint8_t>& done) noexcept;
}  // namespace detail

// Runs one function at most once. Constant-initialised.
class once {
 public:
  constexpr once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  // Calls f() if this is the first call; else blocks until the first call has ended. Rethrows what
  // f throws in the first caller only: a call that throws counts as made. Deadlocks if f calls it
  // on the same once. Go's Do.
  template <class F>
  void call(F&& f) {
    if (done_.load(std::memory_order_acquire) == detail::in_line.once_done) return;  // [once] all that f did
    if (detail::once_was_called(done_)) return;
    const std::lock_guard hold(mutex_);
    call_locked(std::forward<F>(f));
  }
  // As call(f), but stops waiting for the first call when ctx is done, and returns ctx's error
  // then. ctx does not end a running f.
  template <class F>
  [[nodiscard]] std::error_code call(const context& ctx, F&& f) {
    if (const std::error_code e = detail::error_of(ctx)) return e;
    if (done_.load(std::memory_order_acquire) == detail::in_line.once_done) return {};  // [once]
    if (detail::once_was_called(done_)) return {};
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
      std::atomic<std::uint8_t>& done;
      ~mark_done() { done.store(1, std::memory_order_release); }  // [once]
    } mark{done_};
    std::forward<F>(f)();
  }

  std::atomic<std::uint8_t> done_{0};  // 1: f has been called
  mutex mutex_;
};

namespace detail {

struct no_result {};

// A function that is called once, and its result.
template <class F, class R>
class once_state {
 public:
  template <class A>
  explicit once_state(A&& f) : f_(std::in_place, std::forward<A>(f)) {}

  // Calls the function if it has not been called; rethrows what it threw.
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
      failure_ = caught_exception();
      if (!failure_) throw;
    }
  }

  once once_;
  std::optional<F> f_;  // until it has run
  std::optional<R> value_;
  std::exception_ptr failure_;
};

}  // namespace detail

// Returns a function object that calls f at its first call only. Copies share that call. Concurrent
// callers block until it has ended. If f throws, every call throws the same exception object. If f
// calls goexit, later calls throw weft::panic. f is destroyed after its call. Go's sync.OnceFunc.
template <class F>
auto once_func(F&& f) {
  using state = detail::once_state<std::decay_t<F>, detail::no_result>;
  return [s = std::make_shared<state>(std::forward<F>(f))] { s->call(); };
}

// As once_func, but each call returns a reference to the result of f. The result lives as long as a
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

// Note [once]: the caller that runs f stores `done_` with release after f. A caller that reads 1
// acquires that store.

}  // namespace weft
