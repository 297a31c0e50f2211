// One world, or one simulation, at a time in a process.
#pragma once
#include <mutex>

namespace weft::detail {

// Held while one runs.
std::mutex& one_world() noexcept;

}  // namespace weft::detail
