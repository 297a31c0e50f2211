// Looks a little while longer before it sleeps, as long as that pays.
//
// To rouse an idle core takes 25 us, of this thread's CPU time too. Where the next event follows the last one
// within that time, as with one busy connection, watching for it costs no more CPU than sleeping, and the answer
// comes in a third of the time. Where it does not, watching is pure waste: after each vain look twice as many
// sleeps go by before the next.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstdint>

#include "runtime/clock.h"

namespace weft::detail {

class patience {
 public:
  // Calls `look` again and again until it is true, for as long as is worth it. By one M at a time.
  template <class F>
  void watch(F look) {
    if (skip_ > 0) {
      --skip_;
      return;
    }
    const std::int64_t until = now_ns() + watch_ns;
    do {
      for (int i = 0; i < 16; ++i) {
        if (look()) {
          if (vain_ > 0) --vain_;
          return;
        }
        cpu_relax();
      }
    } while (now_ns() < until);
    if (vain_ < most_vain) ++vain_;
    skip_ = (1u << vain_) - 1;
  }

 private:
  static constexpr std::int64_t watch_ns = 30'000;
  static constexpr unsigned most_vain = 10;
  unsigned vain_ = 0, skip_ = 0;
};

}  // namespace weft::detail
