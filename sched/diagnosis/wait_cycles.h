// Fibers that wait for each other in a circle: the world is not deadlocked, but these fibers are.
#pragma once
#include <string>
#include <vector>

#include "sched/diagnosis/fiber_list.h"

namespace weft::detail {

// Sets `waits_for` of each fiber whose `holder_at` lies on the stack of one of them. `all` is
// sorted by id.
void name_holders(std::vector<fiber_view>& all);

// A line for each fiber of each circle; empty if there is none.
std::string describe_cycles(const std::vector<fiber_view>& all);

}  // namespace weft::detail
