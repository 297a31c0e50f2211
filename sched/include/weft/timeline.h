// Which fiber ran where and when: the recording behind the lessons' pictures of the Ps.
//
// While a recording is on, every switch takes the slow way through the scheduler and is noted
// with two clock reads, so a recorded program is slower than the same one unobserved.
#pragma once
#include <cstdint>
#include <vector>

#include <weft/time.h>

namespace weft::timeline {

// One stretch of one fiber on one P, without a switch in between.
struct stretch {
  std::uint64_t fiber;  // this_fiber::id()
  int p;                // index of the P, from 0
  int m;                // index of the M (OS thread), from 0
  time_point from, to;
};

// Starts recording in the running world. From a fiber. Panics if a recording is on already.
void start();

// Ends the recording and returns it, ordered by `from`. From a fiber. A fiber that is still
// running (the caller, at least) appears with the stretch up to now.
std::vector<stretch> stop();

}  // namespace weft::timeline
