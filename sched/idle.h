// What idling and waking share.
#pragma once
#include "sched/world.h"

namespace weft::detail {

// m, an idle M, is off whatever list it is on, with the world's lock held.
void unlist_locked(world& w, M* m) noexcept;

}  // namespace weft::detail
