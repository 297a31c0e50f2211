// Sleeping and waking OS threads on a 32-bit word.
#pragma once
#include <atomic>
#include <cstdint>

namespace weft::detail {

// Sleeps while `word` is `expected`, at most until `deadline_ns` of the clock (`never`: no limit).
// May return early without a reason: check the word again. Returns false if the deadline passed.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline_ns);

// Wakes up to `count` sleepers. Never reads or writes the word, so its owner may be destroyed
// already.
void futex_wake(std::atomic<std::uint32_t>& word, int count) noexcept;

}  // namespace weft::detail
