// How fibers end other than by returning.
#pragma once
#include <cstdint>

namespace weft::detail {

// Fiber `id` has unwound because of goexit.
void record_goexit(std::uint64_t id) noexcept;

}  // namespace weft::detail
