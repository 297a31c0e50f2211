// Groups of fibers that work on one task: the group waits for all of them and reports the first
// failure. Go's golang.org/x/sync/errgroup. Two differences: an exception counts as a failure, and
// the destructor joins.
//
// All functions may be called from fibers and plain threads, not from signal handlers. Starting a
// task needs a running world.
//
//   auto [group, ctx] = weft::errgroup::with_context(parent);
//   for (auto& url : urls) group.go([&] { return fetch(ctx, url); });   // or void, or it throws
//   if (std::error_code e = group.wait()) ...
//
// A failure does not stop the other tasks: it cancels the group's context, and a task that passes
// this context to what it calls ends early. A group without a context only keeps the first failure.
//
// With a limit the group is also a bound on what runs at a time, and go() the place that waits:
//
//   weft::errgroup group;
//   group.set_limit(8);
//   for (auto& file : files) group.go([&] { return compress(file); });   // blocks at the ninth
//
// What a task captures by reference must outlive the group, so declare it before the group. Then an
// early return, or an exception, between go() and wait() is safe: the destructor waits for all
// tasks.
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

// Starts tasks and waits for them. May be used from several fibers at a time.
class errgroup {
 public:
  struct with_ctx;

  errgroup() noexcept = default;
  // Returns a group and a context for its tasks. The context is cancelled by the first failure,
  // with the failure as its cause, or when wait() returns. Go's WithContext.
  static with_ctx with_context(const context& parent);
  errgroup(const errgroup&) = delete;
  errgroup& operator=(const errgroup&) = delete;
  // Cancels the group's context and blocks until all tasks have ended. A failure that no wait() has
  // returned is dropped.
  ~errgroup();

  // Starts a fiber that calls f(), which returns void or std::error_code. Blocks while the group is
  // at its limit. A task fails if it returns an error or throws; goexit is no failure. Throws
  // weft::panic if the limit is 0. Go's Go.
  template <class F>
  [[gnu::always_inline]] void go(F&& f) {
    enter();
    start(std::forward<F>(f));
  }
  // As go(f), but stops waiting for a place when ctx is done. Returns ctx's error then; f was not
  // started.
  template <class F>
  [[nodiscard, gnu::always_inline]] std::error_code go(const context& ctx, F&& f) {
    const std::error_code e = enter(ctx);
    if (!e) start(std::forward<F>(f));
    return e;
  }
  // Starts f if the group is below its limit and returns true; else returns false. Never blocks.
  // Go's TryGo.
  template <class F>
  [[nodiscard, gnu::always_inline]] bool try_go(F&& f) {
    if (!try_enter()) return false;
    start(std::forward<F>(f));
    return true;
  }
  // Limits the group to n tasks at a time; a negative n removes the limit. Throws weft::panic while
  // a task is active. Go's SetLimit.
  void set_limit(std::int64_t n);

  // Blocks until all tasks have ended. Returns the error, or rethrows the exception, of the task
  // that failed first; each call does so again. Go's Wait.
  std::error_code wait();
  // As wait(), but stops waiting when ctx is done, and returns ctx's error then. The tasks
  // continue.
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

  // A place in the group. Its destructor releases the place, as the last act of a task that
  // returned, threw, called goexit, or never ran.
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
    place held;  // first, so that it is destroyed after what f captured
    F run;

    void operator()() {
      try {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) run();
        else held.group().fail(run());
      } catch (const detail::goexit_signal&) {
        throw;
      } catch (...) {
        std::exception_ptr thrown = detail::caught_exception();
        if (!thrown) throw;
        held.group().fail(std::move(thrown));
      }
    }
  };
  template <class F>
  [[gnu::always_inline]] void start(F&& f) {
    weft::go(body<std::decay_t<F>>{place(this), std::forward<F>(f)});
  }

  wait_group tasks_;
  std::atomic<std::int64_t> active_{0};
  std::optional<semaphore> slots_;  // changes only while no task is active
  std::int64_t limit_ = -1;
  detail::spin_lock lock_;
  bool failed_ = false;  // these three under lock_
  std::error_code error_;
  std::exception_ptr exception_;
  std::optional<cancel_cause_func> cancel_;  // set once
};

struct [[nodiscard]] errgroup::with_ctx {
  errgroup group;
  context ctx;
};

}  // namespace weft
