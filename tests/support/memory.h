// What the kernel has given to this process.
#pragma once
#include <algorithm>
#include <fstream>
#include <iterator>

namespace weft::testing {

inline long resident_pages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident;
}

inline long mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

}  // namespace weft::testing
