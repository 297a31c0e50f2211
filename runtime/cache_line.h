#pragma once
#include <cstddef>

namespace weft::detail {

// Apart by this much, two words do not share a line, nor the pair of lines that is prefetched
// together.
inline constexpr std::size_t line_pair = 128;

}  // namespace weft::detail
