// Functions that idling and waking share.
#pragma once
#include "sched/world.h"

namespace weft::detail {

// Takes m, an idle M, off every list that it is on. With the world's lock held.
void unlist_locked(world& w, M* m) noexcept;

// For an M that leaves the poller when its world has ended, perhaps so late that the next world
// runs. The poller may be the process's: then the fibers that it has fetched belong to the new
// world, and the wake-up that it has consumed was meant for that world.
void pass_on(ready_list& fetched);

}  // namespace weft::detail
