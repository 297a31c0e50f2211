// Watches a world for work that lies about while a P idles: invariants I3 and I4 of sched/idle.cc.
//
// Both are broken for a moment by every push, between the push and the wake-up, so only a state
// that lasts counts: the same in every look for `patience`. Reads nothing but atomics, so it may
// look from outside.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "sched/current.h"
#include "sched/steal.h"
#include "sched/world.h"

namespace weft::testing {

class work_watch {
 public:
  explicit work_watch(std::chrono::milliseconds patience) : patience_(patience) {}

  // Looks once. What is stranded since `patience`, in words; else empty.
  std::string look(const detail::world& w, std::chrono::steady_clock::time_point now) {
    const bool nobody_looks = w.idle_ps.load(relaxed) > 0 && w.spinning.load(relaxed) == 0;
    const int made = w.ps_to_look_at();
    slots_.resize(1024);
    std::string found;
    if (lasts(ring_, now, nobody_looks && detail::any_work_approx(w)))
      found = "a ring or the global queue holds work, a P is idle, nobody looks";
    for (int i = 0; i < made; ++i) {
      const detail::P* p = w.p_at(i);
      slot& s = slots_[static_cast<std::size_t>(i)];
      const detail::runnable* next = p->queue.peek_next();
      const std::uint32_t turn = p->turn.load(relaxed);
      const bool unmoved = next && next == s.next && turn == s.turn;
      s.next = next;
      s.turn = turn;
      if (lasts(s.stuck, now, nobody_looks && unmoved)) found = "a next slot holds work, a P is idle, nobody looks";
    }
    return found;
  }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  struct spell {
    bool on = false;
    std::chrono::steady_clock::time_point since{};
  };
  struct slot {
    const detail::runnable* next = nullptr;
    std::uint32_t turn = 0;
    spell stuck;
  };
  bool lasts(spell& s, std::chrono::steady_clock::time_point now, bool on) const {
    if (on && !s.on) s.since = now;
    s.on = on;
    return on && now - s.since >= patience_;
  }

  const std::chrono::milliseconds patience_;
  spell ring_;
  std::vector<slot> slots_;
};

// A thread that looks each millisecond while it lives, and aborts with words if work is stranded.
// Begins and ends inside one world.
class work_watchdog {
 public:
  work_watchdog()
      : thread_([this] {
          work_watch watch(std::chrono::seconds(10));
          while (!stop_) {
            if (const detail::world* w = detail::the_world()) {
              const std::string stranded = watch.look(*w, std::chrono::steady_clock::now());
              if (!stranded.empty()) {
                std::fprintf(stderr, "work conservation is broken: %s\n", stranded.c_str());
                std::abort();
              }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }) {}
  ~work_watchdog() {
    stop_ = true;
    thread_.join();
  }
  work_watchdog(const work_watchdog&) = delete;
  work_watchdog& operator=(const work_watchdog&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace weft::testing
