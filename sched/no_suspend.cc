#include "sched/no_suspend.h"

#include <fmt/format.h>
#include <weft/no_suspend.h>

#include <utility>

#include "sched/g.h"
#include "sched/mutex_watch.h"
#include "sched/panic.h"
#include "sched/symbolize.h"

namespace weft::detail {

// In the M and not in the G, which is further away: a fiber that does not suspend does not change its M.
const void* forbid_suspension(const void* site) noexcept {
  M* m = this_m();
  return m && m->g ? std::exchange(m->no_suspend_site, site) : nullptr;
}

void allow_suspension(const void* outer_site) noexcept {
  if (M* m = this_m(); m && m->g) m->no_suspend_site = outer_site;
}

void suspended_in_region(M* m, const char* reason) {
  if (was_left_by_a_mutex(m->no_suspend_site)) {
    m->no_suspend_site = nullptr;
    return;
  }
  if (const auto where = std_mutex_held_since(); !where.empty())
    panic_of(*m->g, fmt::format("suspended ({}) while it holds a std::mutex, or one of its like, which it locked at {}",
                                reason, to_string(first_of_user(where))));
  panic_of(*m->g, fmt::format("suspended ({}) in a region that must not, which began at {}", reason,
                              to_string(start_site(m->no_suspend_site))));
}

}  // namespace weft::detail
