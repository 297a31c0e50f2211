// An M's beginning and end on its thread.
#pragma once
#include "sched/world.h"

namespace weft::detail {

// A new M, listed in `w` but without a thread; null at the thread limit.
M* add_m(world& w);
// The calling thread becomes m, or stops being it; m is freed then.
void begin_m(M* m);
void end_m(M* m);
// Starts a thread that nobody will wait for. 0, or the error of pthread_create.
int start_detached(void* (*f)(void*), void* arg) noexcept;
// Threads that are no Ms and wake nobody of themselves: ours, and a sanitizer's.
int helper_threads() noexcept;

}  // namespace weft::detail
