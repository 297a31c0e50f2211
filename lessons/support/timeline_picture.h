// The Ps of a run as lanes, time from left to right.
#pragma once
#include <weft/timeline.h>

#include <chrono>
#include <string>
#include <vector>

#include "lessons/support/cast.h"
#include "lessons/support/terminal.h"

namespace lesson {

// One lane per P, a letter (on a colour terminal a block) per fiber, and a time axis, in lines of
// at most t.width columns. The lanes show `span` of time, or all if it is 0. `procs` lanes, without
// those behind the eighth that ran nothing.
std::string lanes_picture(const std::vector<weft::timeline::stretch>& stretches, int procs, const terminal& t,
                          cast& who, std::chrono::nanoseconds span = {});
// The lanes and a legend.
std::string timeline_picture(const std::vector<weft::timeline::stretch>& stretches, int procs, const terminal& t,
                             cast& who);
// One line: which letter is which fiber.
std::string timeline_legend(const std::vector<weft::timeline::stretch>& stretches, int procs, const terminal& t,
                            cast& who, std::chrono::nanoseconds span = {});
// The time from the first stretch to the end of the last.
std::chrono::nanoseconds span_of(const std::vector<weft::timeline::stretch>& stretches);

}  // namespace lesson
