// The M of the calling thread, and the world of the process.
#pragma once

namespace weft::detail {

struct M;
struct world;

// The calling thread's M, or null on a plain thread. Never inlined.
M* this_m() noexcept;
void set_this_m(M* m) noexcept;

// The world that runs now, or null.
world* the_world() noexcept;
void set_the_world(world* w) noexcept;

}  // namespace weft::detail
