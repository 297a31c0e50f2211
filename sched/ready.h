// Making fibers runnable: the run queues that they go to.
#pragma once

namespace weft::detail {

class ready_list;
struct G;
struct M;
struct runnable;
struct world;

// Puts r into the `next` slot of the calling M's P, and wakes another M if necessary.
void push_next(M* m, runnable* r);
// To the ring or, when that is full, to the global queue. No wake-up.
void push_ring(M* m, runnable* r);
// To the global queue's end. With a fence and a wake-up.
void push_global(world& w, runnable* r);
void push_global_list(world& w, ready_list& list);
// Queues fibers that timers made ready, by an M that holds a P: the last is the next to run, the
// others go to the ring's end. Go's order.
enum class wake_policy { if_worth_it, none };
void push_fired(M* m, ready_list& list, wake_policy who);
// Queues fibers that a poller made ready, perhaps a thousand together, in order, behind all that
// wait already. By an M that holds a P. If they went to the ring while older fibers wait in the
// global queue, the older ones would starve.
void push_polled(M* m, ready_list& list);

// From inside a timer: as ready(), but a fiber goes to `list`, which the M that fires the timers
// queues. By an M that holds a P.
void ready_into(ready_list& list, G* g);

}  // namespace weft::detail
