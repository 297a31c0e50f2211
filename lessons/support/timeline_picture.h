// The Ps of a run as lanes, time from left to right.
#pragma once
#include <weft/timeline.h>

#include <string>
#include <vector>

#include "lessons/support/cast.h"
#include "lessons/support/terminal.h"

namespace lesson {

// One lane per P, a letter (on a colour terminal a block) per fiber, a time axis and a legend, in
// lines of at most t.width columns. `procs` lanes, but for those beyond the eighth that ran nothing.
std::string timeline_picture(const std::vector<weft::timeline::stretch>& stretches, int procs, const terminal& t,
                             cast& who);

}  // namespace lesson
