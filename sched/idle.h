// Idling: what an M does that has found nothing to run.
#pragma once
#include <cstdint>

namespace weft::detail {

class ready_list;
struct M;

// The M has found nothing. Returns with a P when there may be work again, or without one when the
// world stops.
void idle(M* m);
// As idle() for an M that has no P. Returns with one, or when the world stops.
void idle_without_p(M* m);

// Queues the fibers that timers made ready at `now` on m's P, and wakes another M if the batch is
// long enough.
void push_batch(M* m, ready_list& due, std::int64_t now);
// m has found nothing to run after such a batch: measures how long a turn took.
void end_batch(M* m);

// For an M that leaves the poller when its world has ended, perhaps so late that the next world
// runs. The poller may be the process's: then the fibers that it has fetched belong to the new
// world, and the wake-up that it has consumed was meant for that world.
void pass_on(ready_list& fetched);

}  // namespace weft::detail
