#include "sched/no_suspend.h"

#include <weft/detail/fork_record.h>
#include <weft/no_suspend.h>

#include <utility>

#include "sched/current.h"
#include "sched/diagnosis_calls.h"
#include "sched/simulated.h"

namespace weft::detail {

namespace {

// Null on a plain thread.
m_face* face_of_fiber() noexcept {
  M* m = this_m();
  return m ? (m->g ? m : nullptr) : sim_self() ? fork_list() : nullptr;
}

}  // namespace

// In the M and not in the G, which is further away: a fiber that does not suspend does not change
// its M.
const void* forbid_suspension(const void* site) noexcept {
  m_face* const m = face_of_fiber();
  return m ? std::exchange(m->no_suspend_site, site) : nullptr;
}

void allow_suspension(const void* outer_site) noexcept {
  if (m_face* const m = face_of_fiber()) end_region(m, outer_site);
}

// A fork that began inside the region may be open still.
void end_region(m_face* m, const void* outer_site) noexcept {
  m->no_suspend_site = outer_site ? outer_site : m->newest_fork ? &fork_mark : nullptr;
}

void suspend_slow(M* m, const char* reason) {
  if (m->no_suspend_site != &fork_mark) diagnosis.suspended_in_region(m, reason);
  share_all_forks(m);
}

}  // namespace weft::detail
