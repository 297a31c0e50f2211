// Spans of time in ticks of the CPU's counter.
#pragma once
#include <cstdint>

namespace weft::detail {

// A time slice, in ticks of the CPU's counter.
std::uint64_t slice_ticks() noexcept;
// How long timers may stay unchecked while fibers keep switching, in ticks.
std::uint64_t timer_ticks() noexcept;

}  // namespace weft::detail
