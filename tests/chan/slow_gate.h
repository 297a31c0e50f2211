// The smallest primitive that parks, with all the time in the world between being found and being
// off the stack. Waiters queue at a gate and wakers let them through; the value goes by the
// waiter's own frame, as a channel's does.
#pragma once
#include <weft/weft.h>

#include <atomic>

#include "tests/support/scale.h"

namespace weft::testing {

// How the gate's lock is given up: once the waiter is off its stack, or, wrongly, before it parks.
enum class park_with { commit, nothing };

template <park_with how>
class slow_gate {
 public:
  // Blocks until open() is called; returns what that passed.
  int wait() {
    detail::section hold(lock_);
    int value = 0;
    detail::waiter w;
    w.g = detail::self();
    w.slot = &value;
    queue_.push(&w);
    if constexpr (how == park_with::commit) {
      detail::park(
          detail::wait_reason::chan_receive,
          [](detail::G*, void* held) {
            dawdle();
            static_cast<detail::section*>(held)->leave();
          },
          &hold);
    } else {
      hold.leave();
      dawdle();
      detail::park(detail::wait_reason::chan_receive, nullptr, nullptr);
    }
    return value;
  }
  // Lets one waiter through; returns false if there is none.
  bool open(int value) {
    if (queue_.empty_approx()) return false;  // also while a waiter is half parked
    detail::waiter* w = nullptr;
    {
      detail::section hold(lock_);
      w = queue_.take();
      if (w) *static_cast<int*>(w->slot) = value;
    }
    if (w) detail::ready(w->g);
    return w != nullptr;
  }

 private:
  static void dawdle() {
    for (int i = 0; i < 200; ++i) detail::cpu_relax();
  }
  detail::spin_lock lock_;
  detail::wait_queue queue_;
};

// Waiters and wakers at one gate; how many passages went wrong.
template <park_with how>
int hammer_gate(int procs, int passages) {
  constexpr int waiters = 8, wakers = 3;
  std::atomic<int> wrong = 0;
  std::atomic<long> sum_in = 0, sum_out = 0;
  run(options{.maxprocs = procs}, [&] {
    slow_gate<how> gate;
    std::atomic<int> to_pass = 0, to_open = 0;
    wait_group all;
    for (int i = 0; i < waiters; ++i) {
      all.go([&] {
        std::atomic<int> inside = 0;  // on this fiber's own stack
        while (to_pass++ < passages) {
          const int v = gate.wait();
          if (inside++ != 0) ++wrong;
          sum_out += v;
          inside--;
        }
      });
    }
    for (int i = 0; i < wakers; ++i) {
      all.go([&] {
        for (int k; (k = to_open++) < passages;) {
          while (!gate.open(k)) yield();
          sum_in += k;
        }
      });
    }
    all.wait();
  });
  return wrong + (sum_in != sum_out ? 1 : 0);
}

}  // namespace weft::testing
