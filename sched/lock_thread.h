// The M of a fiber that is locked to its thread.
#pragma once

namespace weft::detail {

struct G;
struct M;
struct runnable;

// m may not run g here: hands it to the right M. Returns with a P again, or when the world stops.
void hand_to_locked_m(M* m, G* g);
// g has been taken from a queue. If it is the main fiber, which has left the thread of run(), it is
// not locked from here on: true.
bool unlock_main(G* g) noexcept;
// m is locked to a parked fiber: releases its P until that fiber is runnable.
runnable* wait_for_locked_g(M* m);

}  // namespace weft::detail
