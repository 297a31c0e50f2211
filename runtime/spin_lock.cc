#include <weft/detail/spin_lock.h>

#include <sched.h>
#include <time.h>

namespace weft::detail {

void spin_lock::lock_slow() noexcept {
  constexpr int busy_looks = 60;  // about 2 us of pauses: longer than any section of ours
  constexpr int yields = 20;
  for (int look = 0;; ++look) {
    if (try_lock()) return;
    if (look < busy_looks) {
      cpu_relax();
    } else if (look < busy_looks + yields) {
      sched_yield();
    } else {
      const timespec nap{.tv_sec = 0, .tv_nsec = 50'000};
      nanosleep(&nap, nullptr);
    }
  }
}

}  // namespace weft::detail
