// Fibers that work on one thing together: they end together, and the first failure is everybody's.
// Go's golang.org/x/sync/errgroup, but that exceptions count as failures, and that it always joins.
//
//   auto [group, ctx] = weft::errgroup::with_context(parent);
//   for (auto& url : urls) group.go([&] { return fetch(ctx, url); });   // void, std::error_code, or throws
//   if (std::error_code e = group.wait()) ...
#pragma once
#include <weft/context.h>
#include <weft/go.h>
#include <weft/semaphore.h>
#include <weft/wait_group.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

class errgroup {
 public:
  struct with_ctx;

  errgroup() noexcept = default;
  // A group and a context for its tasks, which is cancelled by the first failure, with it as the cause,
  // or when wait() has returned.
  static with_ctx with_context(const context& parent);
  errgroup(const errgroup&) = delete;
  errgroup& operator=(const errgroup&) = delete;
  // Joins: blocks until all tasks have ended, and drops a failure that nobody has waited for. Cancels
  // the group's context first, for a scope that is left early wants its tasks to end.
  ~errgroup();

  // Starts f() in a fiber of its own; blocks while the group is at its limit. A task fails if it returns
  // an error or throws; one that ends by goexit does not. With a limit of 0 throws weft::panic.
  template <class F>
  [[gnu::always_inline]] void go(F&& f) {
    enter();
    start(std::forward<F>(f));
  }
  // As above, but waits at most until ctx is done: its error then, and f was not started.
  template <class F>
  [[nodiscard, gnu::always_inline]] std::error_code go(const context& ctx, F&& f) {
    const std::error_code e = enter(ctx);
    if (!e) start(std::forward<F>(f));
    return e;
  }
  // Never blocks: false, and f was not started, if the group is at its limit.
  template <class F>
  [[nodiscard, gnu::always_inline]] bool try_go(F&& f) {
    if (!try_enter()) return false;
    start(std::forward<F>(f));
    return true;
  }
  // At most n tasks at a time; negative: any number. Throws weft::panic while tasks are active.
  void set_limit(std::int64_t n);

  // Blocks until all tasks have ended. Returns the first error, or rethrows the first exception, that
  // a task ended with; again at each call.
  std::error_code wait();
  // As above, but at most until ctx is done: its error then, and the tasks go on.
  [[nodiscard]] std::error_code wait(const context& ctx);

 private:
  explicit errgroup(cancel_cause_func cancel) : cancel_(std::move(cancel)) {}

  void enter();
  std::error_code enter(const context& ctx);
  bool try_enter();
  void leave() noexcept;
  void fail(std::error_code e);
  void fail(std::exception_ptr e);
  std::error_code outcome();

  // A place in the group; giving it up is its holder's last act, whether the task returned, threw,
  // called goexit, or never came to run.
  class place {
   public:
    explicit place(errgroup* of) noexcept : group_(of) {}
    place(place&& o) noexcept : group_(std::exchange(o.group_, nullptr)) {}
    ~place() {
      if (group_) group_->leave();
    }
    errgroup& group() const noexcept { return *group_; }

   private:
    errgroup* group_;
  };
  template <class F>
  struct body {
    place held;  // first, so that it goes after what f captured
    F run;

    void operator()() {
      try {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) run();
        else held.group().fail(run());
      } catch (const detail::goexit_signal&) {
        throw;
      } catch (...) {
        held.group().fail(std::current_exception());
      }
    }
  };
  template <class F>
  [[gnu::always_inline]] void start(F&& f) {
    weft::go(body<std::decay_t<F>>{place(this), std::forward<F>(f)});
  }

  wait_group tasks_;
  std::atomic<std::int64_t> active_{0};
  std::optional<semaphore> slots_;               // changes only while no task is active
  std::int64_t limit_ = -1;
  detail::spin_lock lock_;
  bool failed_ = false;                          // these three under lock_
  std::error_code error_;
  std::exception_ptr exception_;
  std::optional<cancel_cause_func> cancel_;      // set once
};

struct [[nodiscard]] errgroup::with_ctx {
  errgroup group;
  context ctx;
};

}  // namespace weft
