// The lock designs of S11 and S12, made for reading.
#pragma once
#include <weft/weft.h>

#include <mutex>

namespace locks {

// Unlock wakes the one that has waited longest, but leaves the lock open: whoever comes first has it.
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

// Unlock gives the lock to the one that has waited longest; it is never open while somebody waits.
class handoff {
 public:
  void lock() { one_.acquire(); }
  void unlock() { one_.release(); }

 private:
  weft::semaphore one_{1};
};

// As barging, but who finds it taken tries for a while before it waits.
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
