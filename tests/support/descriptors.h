// How many descriptors the process has open, the one it looks with included.
#pragma once
#include <cstddef>
#include <filesystem>
#include <iterator>

namespace weft::testing {

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace weft::testing
