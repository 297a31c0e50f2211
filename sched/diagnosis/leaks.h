// Fibers that have not ended.
#pragma once

namespace weft::detail {

struct world;

// The fibers that live when the world ends, counted by start site, on standard error.
void report_leaks(world& w);

}  // namespace weft::detail
