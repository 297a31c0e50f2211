// The check at each suspension: one load of the M's own line.
#pragma once
#include "sched/m.h"

namespace weft::detail {

// The end of a region of m's fiber, which began inside `outer_site` (null: inside none).
void end_region(m_face* m, const void* outer_site) noexcept;

// m's fiber is about to suspend for `reason`, and is inside a region or has open forks: reports the
// region, or shares the forks.
void suspend_slow(M* m, const char* reason);

inline void check_may_suspend(M* m, const char* reason) {
  if (m->no_suspend_site) [[unlikely]]
    suspend_slow(m, reason);
}
inline void check_may_suspend(M* m, wait_reason reason) {
  if (m->no_suspend_site) [[unlikely]]
    suspend_slow(m, to_string(reason));
}

}  // namespace weft::detail
