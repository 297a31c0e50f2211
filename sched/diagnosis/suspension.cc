#include "sched/diagnosis/suspension.h"

#include <fmt/format.h>

#include "runtime/unwind/symbolize.h"
#include "sched/diagnosis/panic.h"
#include "sched/diagnosis/std_mutex_check.h"
#include "sched/g.h"
#include "sched/m.h"

namespace weft::detail {

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
