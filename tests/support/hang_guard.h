// Turns a hang into a failure that says where: a test that waits for an event which a bug would
// keep from happening holds a guard, whose limit is generous because it is no measurement.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace weft::testing {

class hang_guard {
 public:
  explicit hang_guard(const char* fact, std::chrono::seconds limit = std::chrono::seconds(120))
      : thread_([this, fact, limit] {
          std::unique_lock lock(mutex_);
          if (over_.wait_for(lock, limit, [this] { return done_; })) return;
          std::fprintf(stderr, "hang after %lld s: %s\n", static_cast<long long>(limit.count()), fact);
          std::abort();
        }) {}
  ~hang_guard() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    over_.notify_one();
    thread_.join();
  }
  hang_guard(const hang_guard&) = delete;
  hang_guard& operator=(const hang_guard&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace weft::testing
