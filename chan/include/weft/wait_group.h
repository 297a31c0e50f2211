// Waiting for a number of fibers to be done. Go's sync.WaitGroup.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>
#include <weft/go.h>

#include <atomic>
#include <cstdint>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

// May be destroyed as soon as wait() has returned, also while the last done() is still returning.
class wait_group {
 public:
  constexpr wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  // Adds n, which may be negative, to the count; at 0 all waiters go on. Throws weft::panic if the
  // count would become negative, and where it can be seen that the group was used again before those
  // who waited were let go. Never blocks. Go's Add.
  void add(int n) {
    // [wait-group] what was done before done(), for whoever wait() lets through
    const std::int64_t before = state_.fetch_add(one * n, std::memory_order_acq_rel);
    const std::int64_t s = before + one * n;
    if (s < one || before == waiting) [[unlikely]]
      reached(s, n);
  }
  // One less.
  void done() { add(-1); }
  // Blocks until the count is 0.
  void wait() {
    if (state_.load(std::memory_order_acquire) >= one) [[unlikely]]  // [wait-group]
      wait_slow();
  }
  // As wait(), but at most until ctx is done: its error then.
  [[nodiscard]] std::error_code wait(const context& ctx);
  // add(1), and a fiber that calls f and then done(), also after goexit. An exception that leaves f
  // ends the process, and wait() does not return before that. Go's WaitGroup.Go.
  template <class F>
  [[gnu::always_inline]] void go(F&& f) {
    add(1);
    try {
      weft::go([this, run = std::decay_t<F>(std::forward<F>(f))]() mutable {
        try {
          run();
        } catch (const detail::goexit_signal&) {
          done();
          throw;
        }
        done();
      });
    } catch (...) {  // f could not be copied, or no world runs: there is no fiber to wait for
      done();
      throw;
    }
  }

 private:
  // state_: the count times `one`, and whether somebody waits.
  static constexpr std::int64_t one = std::int64_t{1} << 32, waiting = 1;
  void reached(std::int64_t s, int n);
  void wait_slow();
  bool left_queue(detail::waiter* w);

  std::atomic<std::int64_t> state_{0};
  detail::spin_lock queue_lock_;
  detail::wait_queue queue_;  // under queue_lock_
};

}  // namespace weft
