#include "sched/sysmon.h"

#include <pthread.h>

#include <atomic>

#include "runtime/clock.h"
#include "runtime/futex.h"
#include "sched/world.h"

namespace weft::detail {

// Later: the monitor thread. For now the work is remembered only.
void sysmon_has_work() noexcept {}

}  // namespace weft::detail
