// Gives back the memory of a fiber's stack that deeper calls have touched.
#pragma once

namespace weft::detail {

// The pages below the caller's frame go back to the system. For a fiber that is about to wait for
// long, between two uses of a deep stack: a system call now, and page faults when the stack gets
// deeper again. No effect on a plain thread, inside with_stack(), and with WEFT_DEBUG=stacks, which
// counts those pages.
void give_stack_back() noexcept;

}  // namespace weft::detail
