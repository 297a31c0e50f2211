// Doing something exactly once. Go's sync.Once.
#pragma once
#include <weft/mutex.h>

#include <atomic>
#include <mutex>
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
    if (done_.load(std::memory_order_relaxed)) return;
    struct mark_done {
      std::atomic<bool>& done;
      ~mark_done() { done.store(true, std::memory_order_release); }  // [once]
    } mark{done_};
    std::forward<F>(f)();
  }

 private:
  std::atomic<bool> done_{false};
  mutex mutex_;
};

// Note [once]: the caller that runs f releases `done_` after it; whoever sees it true acquires that.

}  // namespace weft
