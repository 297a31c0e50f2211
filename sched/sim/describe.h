// Fibers and failures of a simulation in words.
#pragma once
#include <string>
#include <vector>

#include "sched/sim/simulation.h"

namespace weft::detail {

// "3" or "3 (reader)".
std::string fiber_name(const sim_fiber& f);
// "fiber 2 [chan send], fiber 3 [mutex lock] waits for fiber 2". At most a few.
std::string describe_waiters(const std::vector<sim_fiber*>& all);
// Equal for the same fibers in the same waits, whatever their numbers.
std::uint64_t signature_of_waiters(const std::vector<sim_fiber*>& all);
// The exception being handled: "weft::panic: close of closed channel".
std::string describe_exception();
const char* to_string(sim_op op) noexcept;

}  // namespace weft::detail
