// Unlikely schedules, on request.
#pragma once

namespace weft::detail {

struct M;

// Shuffles the queue of m's P, and sometimes gives the P to another M. Returns true then: m may
// have no P. Called by an M that searches for a fiber to run, while its P's shuffle_queue bit is
// set.
bool chaos_shuffle(M* m);

}  // namespace weft::detail
