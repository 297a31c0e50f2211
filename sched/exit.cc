#include "sched/exit.h"

#include "sched/current.h"
#include "sched/simulated.h"
#include "sched/world.h"

namespace weft::detail {

void record_goexit(std::uint64_t id) noexcept {
  if (id == 1) the_world()->main_gone.store(true, std::memory_order_relaxed);
}

}  // namespace weft::detail

namespace weft {

void goexit() {
  if (!detail::in_fiber() && !detail::sim_self()) throw panic("goexit: called outside a fiber");
  throw detail::goexit_signal{};
}

}  // namespace weft
