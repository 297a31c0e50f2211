// WEFT_SIM: a program under simulation without a changed line.
#pragma once
#include <cstddef>
#include <functional>

namespace weft::detail {

// What run() does while WEFT_SIM is set to `text`: runs the main fiber in a simulation and returns
// its status. At a failure prints the story on standard error and ends the process with status 3;
// at a `text` that is not understood, with status 2. `stack_size`: of fibers without a size of
// their own, in bytes.
int run_by_words(const char* text, std::size_t stack_size, const std::function<int()>& main_fiber);

}  // namespace weft::detail
