// Stacks of simulated fibers, kept from one schedule to the next.
#pragma once
#include "sched/sim/simulation.h"

namespace weft::detail {

// A free fiber on a stack of at least `size` bytes (0: the default). By the thread that has the
// session.
sim_fiber* take_sim_stack(std::size_t size);
// The default from now on, in bytes. Not in a schedule.
void set_usual_sim_stack(std::size_t size);
void give_sim_stack(sim_fiber* f) noexcept;

}  // namespace weft::detail
