// WEFT_SIM: a program under simulation without a changed line.
#pragma once
#include <functional>

namespace weft::detail {

// What run() does while WEFT_SIM is set to `text`: runs the main fiber in a simulation and returns
// its status. At a failure prints the story on standard error and ends the process with status 3;
// at a `text` that is not understood, with status 2.
int run_as_told(const char* text, const std::function<int()>& main_fiber);

}  // namespace weft::detail
