// Running a part of a lesson with everything watched.
#pragma once
#include <functional>

#include "lessons/support/cast.h"
#include "lessons/support/figures.h"
#include "lessons/support/terminal.h"

namespace lesson {

// Where print() goes while a part runs. A null `to` shows nothing.
struct screen {
  const terminal* to = nullptr;
  cast* who = nullptr;
};

// Runs `main_fiber` in a world of `maxprocs` Ps (0: weft's own number) and returns when it does. One at a time.
record recorded_run(const std::function<void()>& fibers, int maxprocs, const screen& shown);

}  // namespace lesson
