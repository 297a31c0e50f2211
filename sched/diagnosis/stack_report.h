// The report of WEFT_DEBUG=stacks: how far down the fibers of each go statement used their stacks.
#pragma once
#include <weft/go.h>

#include <vector>

namespace weft::detail {

struct world;

// Returns a row for each go statement, the deepest first: fibers that have ended and fibers that
// live. Any thread.
std::vector<stack_use> stack_uses(world& w);

// Writes those rows to standard error.
void report_stack_use(world& w);

}  // namespace weft::detail
