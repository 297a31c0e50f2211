// Waiting for a number of fibers. Go's sync.WaitGroup.
//
//   weft::wait_group group;
//   for (auto& job : jobs) group.go([&] { run(job); });
//   group.wait();
//
// Or counted by hand: add(n) before the fibers start, done() at the end of each. An add() inside a
// fiber that wait() shall wait for comes too late: wait() may find the count 0 before it runs.
//
// What a fiber wrote before its done() is visible after the wait() that this done() ended. To get
// results or errors out of the fibers see async.h and errgroup.h.
//
// The group must outlive its fibers' done(), which go() calls too, and so be declared before what
// may throw between go() and wait(): its destructor does not wait. errgroup's does.
//
// A negative count is a mistake that throws. A count that never becomes 0 is found by the deadlock
// verdict when nothing else can run.
//
// All functions may be called from fibers and plain threads, not from signal handlers.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/fiber.h>
#include <weft/detail/in_line.h>
#include <weft/detail/wait_queue.h>
#include <weft/go.h>

#include <atomic>
#include <cstdint>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

// A counter that can be waited for. Not copied or moved: its users have its address. It is reused
// after a wait() has returned. May be destroyed as soon as wait() has returned, even if the
// last done() has not.
class wait_group {
 public:
  constexpr wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  // Adds n, which may be negative, to the count. At 0 all waiters are woken. Throws weft::panic if
  // the count would become negative, and if it detects that the group is used again before all
  // waiters of the last use have returned. Never blocks. Go's Add.
  void add(int n) {
    // [wait-group] the stores before done(), visible to the callers of wait()
    const std::int64_t before = state_.fetch_add(one * n, std::memory_order_acq_rel);
    const std::int64_t s = before + one * n;
    if (s < detail::in_line.group_done || before == waiting) [[unlikely]]
      reached(s, n);
  }
  // As add(-1). Go's Done.
  void done() { add(-1); }
  // Blocks until the count is 0. Go's Wait.
  void wait() {
    if (state_.load(std::memory_order_acquire) >= detail::in_line.group_waits) [[unlikely]]  // [wait-group]
      wait_slow();
  }
  // As wait(), but stops waiting when ctx is done, and returns ctx's error then.
  [[nodiscard]] std::error_code wait(const context& ctx);
  // Calls add(1) and starts a fiber that calls f, destroys it, and calls done(), also after goexit.
  // So f must not own the group. An exception that leaves f ends the process before wait() returns.
  // Throws weft::panic if no world runs. Go's WaitGroup.Go.
  template <class F>
  [[gnu::always_inline]] void go(F&& f) {
    add(1);
    try {
      weft::go(body<std::decay_t<F>>{{}, this, std::forward<F>(f)});
    } catch (...) {  // f could not be copied, or no world runs: there is no fiber to wait for
      done();
      throw;
    }
  }

 private:
  // Calls done() in its destructor, once the fiber has run.
  struct done_at_end {
    wait_group* group = nullptr;
    done_at_end() noexcept = default;
    done_at_end(done_at_end&& o) noexcept : group(std::exchange(o.group, nullptr)) {}
    ~done_at_end() {
      if (group) group->done();
    }
  };
  template <class F>
  struct body {
    done_at_end end;  // first, so that it is destroyed after what f captured
    wait_group* group;
    F run;

    void operator()() {
      try {
        run();
      } catch (const detail::goexit_signal&) {
        end.group = group;
        throw;
      }
      end.group = group;
    }
  };
  // state_: the count times `one`, and a flag for waiters.
  static constexpr std::int64_t one = detail::wait_group_one, waiting = 1;
  void reached(std::int64_t s, int n);
  [[noreturn]] void misused(std::int64_t s, int n);
  void wait_slow();
  bool left_queue(detail::waiter* w);

  std::atomic<std::int64_t> state_{0};
  detail::spin_lock queue_lock_;
  detail::wait_queue queue_;  // under queue_lock_
};

}  // namespace weft
