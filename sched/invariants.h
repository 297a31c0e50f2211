// Checks of the scheduler's invariants I1, I2 and I5 of idle.cc, and of the lists behind them. Run
// in chaos mode, and at the end of a world that ran in it. gdb's `fiber check` has its own form.
#pragma once

namespace weft::detail {

struct M;
struct P;
struct world;

// Ends the process with "scheduler: ..." if p, which m holds, violates an invariant. By m, inside
// the runtime.
void check_p(const M& m, const P& p) noexcept;

// The same for the lists of idle Ps and Ms. With the world's lock held.
void check_world_locked(const world& w) noexcept;

}  // namespace weft::detail
