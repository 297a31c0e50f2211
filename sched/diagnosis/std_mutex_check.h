// Chaos mode detects a fiber that suspends while its thread holds a std::mutex, a std::shared_mutex
// or a similar lock.
//
// Such a fiber may resume in another thread, where unlocking is undefined. Until then a fiber that
// locks the mutex blocks a thread that may have to run the holder. It works nearly always, so tests
// do not find it.
//
// When chaos mode begins, the places through which the program and its libraries call the pthread
// functions are redirected to functions that keep a list, per thread, of the locks held. So it
// costs nothing without chaos mode.
//
// Refused: replacing those functions in the library, which every program would pay for; searching
// the stack for locked mutexes, which does not find a global one.
//
// Not seen: libraries that are loaded later, and programs that are linked statically.
#pragma once
#include <cstdint>
#include <vector>

namespace weft::detail {

// From the call to the end of the process. More calls have no effect.
void check_std_mutexes() noexcept;

// Returns the innermost frames of the place where the calling fiber locked the first mutex that its
// thread still holds. Empty if it holds none or the detection is off.
std::vector<std::uintptr_t> std_mutex_held_since();
// Returns true if an M's no_suspend_site stands for a mutex that is no longer held.
bool was_left_by_a_mutex(const void* site) noexcept;

}  // namespace weft::detail
