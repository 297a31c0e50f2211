// A thousand concurrent blocking calls need a thousand threads, but only for that time. Each keeps
// a kernel stack and a place in the lists of the system, so threads that were not needed
// between two looks of the monitor, 100 ms apart, end.
//
// Their number is the least number of idle Ms since the last look: that many Ms were not used. The
// M of the thread that called run() stays, since that thread is the program's.
#include "sched/retire_ms.h"

#include <algorithm>

#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {

bool retire_idle_ms(world& w) noexcept {
  constexpr int spare = 2;  // for the next few blocking calls
  M* ending = nullptr;
  bool more = false;
  {
    const std::lock_guard hold(w.lock);
    const int keep = w.procs.load(std::memory_order_relaxed) + spare;
    int n = std::min(w.least_idle_ms, w.idle_ms) - keep;
    more = w.idle_ms > keep;
    w.least_idle_ms = w.idle_ms;
    for (M *m = w.idle_m_list, *next = nullptr; m && n > 0; m = next) {
      next = m->next_idle;
      if (m->is_timer_backup || m->id == 0) continue;
      unlist_locked(w, m);
      m->ends = true;
      m->p = nullptr;
      m->next_idle = ending;
      ending = m;
      --n;
    }
  }
  while (M* m = ending) {
    ending = m->next_idle;
    wake_m(m);  // it may be freed from here on
  }
  return !more;
}

}  // namespace weft::detail
