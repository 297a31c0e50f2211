// The objects that were made in the schedule that runs.
#pragma once

namespace weft::detail {

// The schedule has ended: marks the objects that still live.
void mark_simulated_objects() noexcept;

}  // namespace weft::detail
