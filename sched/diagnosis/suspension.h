// The report of a fiber that suspends inside a region that forbids it: weft/no_suspend.h.
#pragma once

namespace weft::detail {

struct M;

// Ends the process as a panic of m's fiber, which suspends for `reason`. Returns if the region was
// a std::mutex that has been unlocked during it.
void suspended_in_region(M* m, const char* reason);

}  // namespace weft::detail
