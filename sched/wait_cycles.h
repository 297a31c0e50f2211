// Fibers that wait for each other in a circle: no verdict about the whole world, and just as stuck.
#pragma once
#include <string>
#include <vector>

#include "sched/fiber_list.h"

namespace weft::detail {

// Sets `waits_for` of each fiber whose `holder_at` lies on the stack of one of them. `all` is sorted by id.
void name_holders(std::vector<fiber_view>& all);

// A line for each fiber of each circle; empty if there is none.
std::string describe_cycles(const std::vector<fiber_view>& all);

}  // namespace weft::detail
