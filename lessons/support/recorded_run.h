// Running a part of a lesson with everything watched.
#pragma once
#include "lessons/support/cast.h"
#include "lessons/support/figures.h"
#include "lessons/support/lesson.h"
#include "lessons/support/terminal.h"

namespace lesson {

// Where print() goes while a part runs. A null `to` shows nothing.
struct screen {
  const terminal* to = nullptr;
  cast* who = nullptr;
};

// Runs `p` in a world of s.maxprocs Ps and returns when its main fiber does. One at a time.
record recorded_run(const part& p, const settings& s, const screen& shown);

}  // namespace lesson
