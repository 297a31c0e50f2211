// A failing schedule as a table.
#pragma once
#include <string>
#include <vector>

#include "sched/sim/simulation.h"

namespace weft::detail {

// For a terminal of 80 columns: a column for each fiber, if there are at most four.
std::string story_of(const std::vector<sim_event>& events, const sim::report& r);
// As a page with a lane for each fiber.
std::string html_of(const std::vector<sim_event>& events, const sim::report& r);

}  // namespace weft::detail
