#include <weft/detail/spin_lock.h>

#include <sched.h>
#include <time.h>

namespace weft::detail {

void spin_lock::lock_slow() noexcept {
  constexpr int least = 16, most = 256;  // pauses
  constexpr int busy_looks = 12;
  constexpr int yields = 20;
  int pauses = least;
  for (int look = 0;; ++look) {
    if (try_lock()) return;
    if (look < busy_looks) {
      for (int i = 0; i < pauses; ++i) cpu_relax();
      if (pauses < most) pauses *= 2;
    } else if (look < busy_looks + yields) {
      sched_yield();
    } else {
      const timespec nap{.tv_sec = 0, .tv_nsec = 50'000};
      nanosleep(&nap, nullptr);
    }
  }
}

}  // namespace weft::detail
