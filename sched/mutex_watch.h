// Chaos mode sees a fiber that suspends while its thread holds a std::mutex, a std::shared_mutex or one of their like.
//
// Such a fiber may go on in another thread, where unlocking is undefined, and whoever wants the mutex meanwhile blocks
// a thread that may have to run the holder. It works nearly always, so nobody finds it by trying.
//
// When chaos mode begins, the places through which the program and its libraries call the pthread functions are
// pointed at functions that keep a list, per thread, of what is held. So nothing is paid without chaos mode.
//
// Refused: defining those functions ourselves, which every program would pay for; looking for locked mutexes on the
// stack, which does not see a global one.
//
// Not seen: libraries that are loaded later, and programs that are linked statically.
#pragma once
#include <cstdint>
#include <vector>

namespace weft::detail {

// From now on and for ever. Once is enough.
void watch_std_mutexes() noexcept;

// The innermost frames of where the calling fiber locked the first mutex that its thread still holds; empty if it holds
// none or nobody watches.
std::vector<std::uintptr_t> std_mutex_held_since();
// True if an M's no_suspend_site says so of a mutex that is no longer held.
bool was_left_by_a_mutex(const void* site) noexcept;

}  // namespace weft::detail
