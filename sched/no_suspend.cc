#include "sched/no_suspend.h"

#include <weft/detail/fork_record.h>
#include <weft/no_suspend.h>

#include <utility>

#include "sched/current.h"
#include "sched/diagnosis_calls.h"

namespace weft::detail {

// In the M and not in the G, which is further away: a fiber that does not suspend does not change
// its M.
const void* forbid_suspension(const void* site) noexcept {
  M* m = this_m();
  return m && m->g ? std::exchange(m->no_suspend_site, site) : nullptr;
}

void allow_suspension(const void* outer_site) noexcept {
  if (M* m = this_m(); m && m->g) m->no_suspend_site = outer_site;
}

void suspend_slow(M* m, const char* reason) {
  if (m->no_suspend_site != &fork_mark) diagnosis.suspended_in_region(m, reason);
  share_all_forks(m);
}

}  // namespace weft::detail
