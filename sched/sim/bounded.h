// All schedules with at most a number of deviations from the default.
#pragma once
#include <memory>

#include "sched/sim/strategies.h"

namespace weft::detail {

// At most `schedules` of them are kept in mind.
std::unique_ptr<explorer> make_bounded(int depth, std::size_t schedules);

}  // namespace weft::detail
