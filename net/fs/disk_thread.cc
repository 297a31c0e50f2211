#include "net/fs/disk_thread.h"

#include <weft/clock.h>
#include <weft/context.h>
#include <weft/go.h>
#include <weft/semaphore.h>

#include <list>
#include <memory>
#include <mutex>

#include "net/poller/choose.h"
#include "sched/blocking.h"
#include "sched/current.h"
#include "sched/retake.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

using namespace std::chrono_literals;

// Of one world: a fiber that waits here when its world ends never runs again.
class disk_places {
 public:
  struct call {
    time_point began;
    bool counted = true;
  };
  using position = std::list<call>::iterator;

  position enter() {
    while (!places_.try_acquire()) {
      auto [ctx, cancel] = with_timeout(background(), 10ms);
      if (!places_.acquire(ctx)) break;
      admit_more();
    }
    const std::lock_guard hold(lock_);
    return calls_.insert(calls_.end(), {now(), true});
  }

  void leave(position at) {
    bool counted = false;
    {
      const std::lock_guard hold(lock_);
      counted = at->counted;
      slow_ -= counted ? 0 : 1;
      calls_.erase(at);
    }
    if (counted) places_.release();
  }

 private:
  static constexpr int most = 64, most_slow = 512;
  static constexpr duration slow_after = 50ms;

  void admit_more() {
    int freed = 0;
    {
      const std::lock_guard hold(lock_);
      for (call& c : calls_) {
        if (slow_ == most_slow || now() - c.began < slow_after) break;  // the oldest come first
        if (!c.counted) continue;
        c.counted = false;
        ++slow_;
        ++freed;
      }
    }
    if (freed > 0) places_.release(freed);
  }

  semaphore places_{most};
  std::mutex lock_;
  std::list<call> calls_;  // these under lock_
  int slow_ = 0;
};

std::shared_ptr<disk_places> places_of(const world& w) {
  static std::mutex lock;
  static auto& current = *new std::shared_ptr<disk_places>;
  static std::uint64_t serial = 0;
  const std::lock_guard hold(lock);
  if (!current || serial != w.serial) current = std::make_shared<disk_places>();
  serial = w.serial;
  return current;
}

class place {
 public:
  place() : all_(places_of(*this_m()->w)), at_(all_->enter()) {}
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() { all_->leave(at_); }

 private:
  const std::shared_ptr<disk_places> all_;
  const disk_places::position at_;
};

class blocks_if_possible {
 public:
  blocks_if_possible() : began_(begin_blocking_if_possible()) {}
  blocks_if_possible(const blocks_if_possible&) = delete;
  blocks_if_possible& operator=(const blocks_if_possible&) = delete;
  ~blocks_if_possible() {
    if (began_) end_blocking();
  }

 private:
  const bool began_;
};

}  // namespace

void on_disk_thread(void (*f)(void*), void* arg) {
  refuse_in_simulation();
  if (!in_fiber()) return f(arg);
  settle_fiber();
  const place held;
  const blocks_if_possible others_run;
  f(arg);
}

}  // namespace weft::detail
