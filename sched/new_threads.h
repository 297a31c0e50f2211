// Threads that a fiber makes while the limit of cpu_limit.h binds its own: they inherit the limit's
// affinity. They get the affinity that the fiber's thread has without the limit.
#pragma once

namespace weft::detail {

struct world;
struct cpu_limit;

// Notes the threads that there are now: they have not inherited it. With world::retaking held, as
// the next.
void note_threads(cpu_limit& l);
// Gives each thread that has begun since then its affinity back. That needs the lock of one M, and
// an M that binds itself may wait for a CPU with its lock held: `patient` waits for it, else the
// next call tries again.
void free_new_threads(world& w, bool patient = false);

}  // namespace weft::detail
