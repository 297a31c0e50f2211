// The check at each suspension: one load of the M's own line.
#pragma once
#include "sched/m.h"

namespace weft::detail {

// m's fiber is about to suspend for `reason` in a region that forbids it, or holding a std::mutex. Ends the process.
void suspended_in_region(M* m, const char* reason);

inline void check_may_suspend(M* m, const char* reason) {
  if (m->no_suspend_site) [[unlikely]]
    suspended_in_region(m, reason);
}
inline void check_may_suspend(M* m, wait_reason reason) {
  if (m->no_suspend_site) [[unlikely]]
    suspended_in_region(m, to_string(reason));
}

}  // namespace weft::detail
