// Spins for a short time before a thread sleeps, as long as that pays.
//
// To wake an idle core takes 25 us, of this thread's CPU time too. Where the next event follows the
// last one within that time, as with one busy connection, spinning costs no more CPU than sleeping,
// and the answer comes in a third of the time. Where it does not, spinning is waste: after each
// failure twice as many sleeps pass before the next attempt.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstdint>

#include "runtime/clock.h"

namespace weft::detail {

class adaptive_spin {
 public:
  // Calls `look` until it returns true, for as long as that pays. By one M at a time.
  template <class F>
  void until(F look) {
    if (skip_ > 0) {
      --skip_;
      return;
    }
    const std::int64_t end = now_ns() + spin_ns;
    do {
      for (int i = 0; i < 16; ++i) {
        if (look()) {
          if (failures_ > 0) --failures_;
          return;
        }
        cpu_relax();
      }
    } while (now_ns() < end);
    if (failures_ < max_failures) ++failures_;
    skip_ = (1u << failures_) - 1;
  }

 private:
  static constexpr std::int64_t spin_ns = 30'000;
  static constexpr unsigned max_failures = 10;
  unsigned failures_ = 0, skip_ = 0;
};

}  // namespace weft::detail
