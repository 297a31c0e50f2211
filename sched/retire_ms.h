// Ends threads that have had no work since the last look.
#pragma once

namespace weft::detail {

struct world;

// Ends Ms that have idled since the last call, except a few that are kept. By the monitor. Returns
// true if no surplus M remains.
bool retire_idle_ms(world& w) noexcept;

}  // namespace weft::detail
