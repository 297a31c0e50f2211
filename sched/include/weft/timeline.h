// Which fiber ran where and when: the recording behind the lessons' pictures of the Ps.
//
// While a recording is on, every switch takes the slow way through the scheduler and is noted
// with a clock read, so a recorded program is slower than the same one unobserved. A recording that
// is off costs nothing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <weft/time.h>

namespace weft::timeline {

// stretch::p of a fiber that computes although the monitor has retaken its P.
inline constexpr int no_p = -1;

// One stretch of one fiber on one thread, without a switch in between. Stretches of one P never
// overlap, and neither do those of one fiber. A fiber inside a blocking() call has no stretch.
//
// A fiber that computes beyond its time slice loses its P: its stretch on the P ends, and a stretch
// with p == no_p begins, which ends when the fiber next calls weft. A fiber that slept in a system
// call when it lost its P has such a stretch only for what it computes afterwards; `from` is then
// the latest possible start.
struct stretch {
  std::uint64_t fiber;  // this_fiber::id()
  std::string name;     // as given to go(), else empty
  int p;                // index of the P, from 0, or no_p
  int m;                // index of the M (OS thread), from 0
  time_point from, to;
  duration cpu{};       // CPU time of the thread between `from` and `to`, counted by the kernel
  // During part of the stretch fibers without a P and fibers with one took turns on as many CPUs as
  // there are Ps.
  bool shared = false;

  bool has_p() const noexcept { return p != no_p; }
};

// Starts recording in the running world: the caller from here on, fibers that run on other Ps just
// now from their next switch on. From a fiber; yields. Throws weft::panic if a recording is on
// already.
void start();

// Ends the recording and returns it, ordered by `from`, stretches without a P included. From a
// fiber. A fiber that is still running (the caller, at least) appears with the stretch up to now.
// Throws weft::panic if none is on.
std::vector<stretch> stop();

}  // namespace weft::timeline
