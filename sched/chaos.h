// Unlikely schedules, on request.
#pragma once

namespace weft::detail {

struct M;

// Shuffles what m's P has queued; now and then gives the P to another M. True then: m may have no P.
// By an M that looks for what to run, while its P's stir_queue bit is set.
bool stir(M* m);

}  // namespace weft::detail
