// Runs a program of a lesson and records it.
#pragma once
#include <functional>

#include "lessons/support/cast.h"
#include "lessons/support/figures.h"
#include "lessons/support/terminal.h"

namespace lesson {

// Where print() writes while a program runs. With a null `to` it writes nothing.
struct screen {
  const terminal* to = nullptr;
  cast* who = nullptr;
};

// Called in a fiber, with the record so far, when no fiber has been switched for a second and no
// fiber sleeps or waits for I/O: before weft ends a program whose fibers are all asleep.
using stalled_hook = std::function<void(const record&)>;

// Runs `fibers` as the main fiber of a world of `maxprocs` Ps (0: weft's own number). Blocks until
// it returns. Called by one thread at a time.
record recorded_run(const std::function<void()>& fibers, int maxprocs, const screen& shown,
                    const stalled_hook& stalled = {});

}  // namespace lesson
