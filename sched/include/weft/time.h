// Time as fibers see it. Go's time.Sleep and time.Now.
#pragma once
#include <weft/clock.h>

namespace weft {

// Blocks the calling fiber, or plain thread, for at least d nanoseconds. Returns immediately if d
// <= 0. Go's time.Sleep.
void sleep(duration d);

}  // namespace weft
