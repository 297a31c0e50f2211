// A fiber with a result. What Go writes with a channel of one.
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

// One less at the end of the scope, also when goexit unwinds it.
struct done_at_end {
  wait_group& group;
  ~done_at_end() { group.done(); }
};

}  // namespace detail

// The result of async(), to be fetched once. Move-only. Dropping it does not wait for the fiber.
template <class R>
class task {
 public:
  task() noexcept = default;

  // Blocks until the fiber has ended; returns its result, or rethrows what left it. Once: throws
  // weft::panic when called again, or on a default-constructed task.
  R get() {
    if (!state_) throw panic("task::get: no result to get");
    const std::shared_ptr<state> s = std::exchange(state_, nullptr);
    await(*s);
    if (s->failure) std::rethrow_exception(s->failure);
    if constexpr (!std::is_void_v<R>) return std::move(*s->value);
  }
  // As get(), but at most until ctx is done: its error then, and the result can still be fetched.
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
  // Blocks until the fiber has ended; get() does not block after it.
  void wait() const {
    if (!state_) throw panic("task::wait: no result to wait for");
    await(*state_);
  }
  // As above, but at most until ctx is done: its error then.
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

// Starts f(args...) as go() does, and lets its result be waited for. An exception that leaves f
// comes out of get() instead of ending the process.
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
