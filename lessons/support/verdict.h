// What to conclude from a run.
#pragma once
#include <chrono>
#include <string>

#include "lessons/support/figures.h"

namespace lesson {

// Returns "2.66 ms": the time with three significant digits.
std::string shown_time(std::chrono::nanoseconds t);
// Returns "One P", "Two Ps", "17 Ps".
std::string shown_ps(int n);
// Returns t as a percentage of 1, rounded.
int percent(double share);
// Returns true if the process got less than three quarters of the CPU time that its fibers could
// use.
bool machine_is_busy(const figures& f);
// Returns one to three sentences that follow from the figures: whether the run was parallel, and by
// what measure.
std::string verdict(const figures& f);
// Returns one sentence: how long the fibers ran, and how long the program took.
std::string summary(const figures& f);

}  // namespace lesson
