// Fibers with a result. Go writes this with a channel of capacity 1.
//
//   weft::task<int> sum = weft::async([] { return add_up(numbers); });
//   int n = sum.get();              // blocks until the fiber has ended, rethrows what it threw
//
// With a context the wait is bounded, and the result is not lost:
//
//   auto [n, err] = sum.get(ctx);   // n is a std::optional<int>
//   if (err) n = sum.get();         // ctx was done first; the fiber has gone on
//
// For several fibers of which the first failure counts: errgroup. To divide a computation into
// parts that usually run in the caller, parallel_invoke() of parallel.h is much cheaper.
//
// f and its arguments are copied or moved into the fiber, as std::thread does it: pass std::ref(x)
// for a reference, and keep x alive until the task has ended. A task that is dropped does not stop
// its fiber. To stop it, pass a context to f:
//
//   auto [ctx, cancel] = weft::with_cancel(parent);
//   weft::task<page> first = weft::async(fetch, ctx, mirrors[0]);
//   weft::task<page> second = weft::async(fetch, ctx, mirrors[1]);
//   page p = first.get();
//   cancel();                       // the second fetch returns early
//
// get() returns when f has ended and everything that it captured, and its arguments, are destroyed.
// What f wrote is visible after get() or wait(). A plain thread may get() the result of a fiber; so
// a program's other threads can hand work to a world and wait for it.
//
// All functions may be called from fibers and plain threads, not from signal handlers. async()
// needs a running world, get() and wait() do not.
//
// async() allocates once, the state that the task and its fiber share. A task itself is one
// pointer.
#pragma once
#include <weft/detail/holder.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/wait_group.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft {
namespace detail {

// Calls done() in its destructor, on the group of a task's state, which it keeps alive.
template <class State>
struct end_of_task {
  std::shared_ptr<State> of;
  explicit end_of_task(std::shared_ptr<State> s) noexcept : of(std::move(s)) {}
  end_of_task(end_of_task&& o) noexcept = default;
  ~end_of_task() {
    if (of) of->ended.done();
  }
};

}  // namespace detail

// The result of async(). get() returns it once. Move-only. The destructor does not wait for the
// fiber, which runs to its end without it. Two fibers must not use one task at the same time.
template <class R>
class task {
 public:
  task() noexcept = default;

  // Blocks until the fiber has ended. Returns its result, or rethrows the exception that left it.
  // Throws weft::panic if the fiber called goexit, if get() was called before, or on a
  // default-constructed task.
  R get() {
    if (!state_) throw panic("task::get: no result to get");
    const std::shared_ptr<state> s = std::exchange(state_, nullptr);
    await(*s);
    // Moved: the caller alone owns what it catches, while the fiber may still own the state.
    if (s->failure) std::rethrow_exception(std::move(s->failure));
    if constexpr (!std::is_void_v<R>) return std::move(*s->value);
  }
  // As get(), but stops waiting when ctx is done. Returns ctx's error then; the result can still be
  // fetched.
  result<std::optional<R>> get(const context& ctx)
    requires(!std::is_void_v<R>)
  {
    if (const std::error_code e = wait(ctx)) return {std::nullopt, e};
    return {get(), {}};
  }
  [[nodiscard]] std::error_code get(const context& ctx)
    requires std::is_void_v<R>
  {
    const std::error_code e = wait(ctx);
    if (!e) get();
    return e;
  }
  // Blocks until the fiber has ended. get() does not block afterwards. Throws weft::panic if get()
  // was called before, or on a default-constructed task.
  void wait() const {
    if (!state_) throw panic("task::wait: no result to wait for");
    await(*state_);
  }
  // As wait(), but stops waiting when ctx is done, and returns ctx's error then.
  [[nodiscard]] std::error_code wait(const context& ctx) const {
    if (!state_) throw panic("task::wait: no result to wait for");
    return state_->ended.wait(ctx);
  }

 private:
  struct no_value {};
  struct state {
    wait_group ended;
    detail::holder runner;
    std::optional<std::conditional_t<std::is_void_v<R>, no_value, R>> value;
    std::exception_ptr failure;
  };
  static void await(state& s) {
    const detail::waits_for its_fiber(&s.runner);
    s.ended.wait();
  }
  template <class F, class... Args>
  friend auto async(F&& f, Args&&... args) -> task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;

  std::shared_ptr<state> state_;
};

// Starts a fiber that calls f(args...), as go() does, and returns a task for its result. An
// exception that leaves f is rethrown by get() and does not end the process. Never blocks. Throws
// weft::panic if no world runs.
template <class F, class... Args>
[[gnu::always_inline]] inline auto async(F&& f, Args&&... args)
    -> task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> {
  using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  using state = typename task<R>::state;
  task<R> t;
  t.state_ = std::make_shared<state>();
  t.state_->ended.add(1);
  // The first capture, so that it is destroyed after f and its arguments.
  go([end = detail::end_of_task<state>(t.state_), g = std::decay_t<F>(std::forward<F>(f)),
      a = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable {
    state& s = *end.of;
    s.runner.is_caller();
    try {
      const auto call = [&]() -> R {
        return std::apply([&](auto&... each) -> R { return std::invoke(std::move(g), std::move(each)...); }, a);
      };
      if constexpr (std::is_void_v<R>) {
        call();
        s.value.emplace();
      } else {
        s.value.emplace(call());
      }
    } catch (const detail::goexit_signal&) {
      s.failure = std::make_exception_ptr(panic("task: its fiber called goexit"));
      throw;
    } catch (...) {
      s.failure = detail::caught_exception();
      if (!s.failure) throw;
    }
  });
  return t;
}

}  // namespace weft
