// The backend of a world.
#pragma once
#include "net/fd/backend.h"

namespace weft::detail {

// Returns the backend of the world in which the calling fiber runs; makes it at the first call.
// Null on a plain thread. Where the process has no descriptor left for one, returns a backend whose
// every operation fails for that reason; the next call tries again.
backend* backend_of_fiber();

// Throws weft::panic in a simulated fiber.
void refuse_in_simulation();

// Returns the kind that options and WEFT_POLLER ask for. Prints a line if the variable's value is
// wrong.
poller_kind poller_asked_for(const options& o);

}  // namespace weft::detail
