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
// For several fibers of which the first failure counts: errgroup.
//
// All functions may be called from fibers and plain threads, not from signal handlers. async()
// needs a running world.
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
#include <type_traits>
#include <utility>

namespace weft {
namespace detail {

// Calls done() at the end of the scope, also when goexit unwinds it.
struct done_at_end {
  wait_group& group;
  ~done_at_end() { group.done(); }
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
    if (s->failure) std::rethrow_exception(s->failure);
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
  task<R> t;
  t.state_ = std::make_shared<typename task<R>::state>();
  t.state_->ended.add(1);
  go(
      [s = t.state_](auto g, auto... a) {
        const detail::done_at_end mark{s->ended};
        s->runner.is_caller();
        try {
          if constexpr (std::is_void_v<R>) {
            std::invoke(std::move(g), std::move(a)...);
            s->value.emplace();
          } else {
            s->value.emplace(std::invoke(std::move(g), std::move(a)...));
          }
        } catch (const detail::goexit_signal&) {
          s->failure = std::make_exception_ptr(panic("task: its fiber called goexit"));
          throw;
        } catch (...) {
          s->failure = std::current_exception();
        }
      },
      std::forward<F>(f), std::forward<Args>(args)...);
  return t;
}

}  // namespace weft
