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
// A thread of another room can wake nobody from now on (1), or can again (-1).
void note_quiet_helper(int n) noexcept;
// One is about to say so: a verdict waits for it.
void expect_quiet_helper() noexcept;
std::int64_t quiet_helper_expected_since() noexcept;

}  // namespace weft::detail
