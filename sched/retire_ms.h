// Ending threads that have had nothing to do for a while.
#pragma once

namespace weft::detail {

struct world;

// Ends Ms that have idled since the last call, beyond a few that are kept. The monitor. True if none is left over.
bool retire_idle_ms(world& w) noexcept;

}  // namespace weft::detail
