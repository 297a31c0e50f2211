// What idling and waking share.
#pragma once
#include "sched/world.h"

namespace weft::detail {

// m, an idle M, is off whatever list it is on, with the world's lock held.
void unlist_locked(world& w, M* m) noexcept;

// By an M that comes out of the poller when its world has ended, perhaps so late that the next one runs. A poller may
// be the process's: then what it has fetched are that world's fibers, and the bell it has heard was for that world.
void pass_on(ready_list& fetched);

}  // namespace weft::detail
