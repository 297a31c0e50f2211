// Calling a function on another stack, as a part of the same call chain: exceptions pass through,
// and unwinders find the caller's frames.
#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::detail {

// Calls f(arg) with the stack pointer at `top`, which is a multiple of 16, and returns when f does.
// The caller informs sanitizers.
void call_on_stack(void (*f)(void*), void* arg, std::byte* top);

// Returns true if `pc` lies in the frame that joins the two stacks. Its frame pointer is an address
// on the outer stack: there the caller's frame pointer lies, and above it the return address.
bool joins_stacks(std::uintptr_t pc) noexcept;

}  // namespace weft::detail
