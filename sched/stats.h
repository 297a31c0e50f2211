// Counts of a world.
#pragma once
#include <cstdint>

namespace weft::detail {

struct world;

// Returns the number of fibers that have begun and not ended.
std::uint64_t fibers_alive(const world& w) noexcept;

}  // namespace weft::detail
