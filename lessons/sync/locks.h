// The lock designs of S11 and S12, made for reading.
#pragma once
#include <weft/weft.h>

#include <mutex>

namespace locks {

// Unlock wakes the fiber that has waited longest, but leaves the lock open: the first fiber that
// comes takes it.
class barging {
 public:
  void lock() {
    std::unique_lock hold(guard_);
    while (held_) free_.wait(hold);
    held_ = true;
  }
  void unlock() {
    const std::lock_guard hold(guard_);
    held_ = false;
    free_.signal();
  }

 private:
  weft::mutex guard_;
  weft::cond free_;
  bool held_ = false;
};

// Unlock gives the lock to the fiber that has waited longest; it is never open while a fiber waits.
class handoff {
 public:
  void lock() { one_.acquire(); }
  void unlock() { one_.release(); }

 private:
  weft::semaphore one_{1};
};

// As barging, but a fiber that finds it taken tries for a while before it waits.
class spinning {
 public:
  void lock() {
    for (int i = 0; i < 30; ++i) {
      if (!held_.exchange(true)) return;
      weft::yield();
    }
    std::unique_lock hold(guard_);
    while (held_.exchange(true)) free_.wait(hold);
  }
  void unlock() {
    const std::lock_guard hold(guard_);
    held_.store(false);
    free_.signal();
  }

 private:
  weft::mutex guard_;
  weft::cond free_;
  std::atomic<bool> held_{false};
};

}  // namespace locks
