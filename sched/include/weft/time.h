// Time as fibers see it. Go's time.Sleep and time.Now.
#pragma once
#include <weft/clock.h>

namespace weft {

// Stops the calling fiber (or plain thread) for at least `d`; returns at once if d <= 0.
// Never returns early. Go's time.Sleep.
void sleep(duration d);

}  // namespace weft
