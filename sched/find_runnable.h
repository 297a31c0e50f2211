// The M's loop, and its search for the next runnable.
#pragma once
#include <cstddef>

namespace weft::detail {

struct M;
struct runnable;

// The M's loop: finds a fiber, runs it, repeats. Returns when the world stops or the M must end.
void schedule(M* m);
// Returns the next runnable, and sleeps until there is one. Returns null when the world stops.
runnable* find_runnable(M* m);
// Takes up to `most` from the global queue, at most this P's share. Returns the first; the rest go
// to the P's ring. Returns null if the queue is empty.
runnable* take_global(M* m, std::size_t most);

}  // namespace weft::detail
