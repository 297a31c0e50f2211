// Stacks that a fiber uses for one call: with_stack(). They are not among the arenas of fibers,
// because no G lies on them. The last few of each size are kept warm, the memory of others is
// returned to the system.
#pragma once
#include "runtime/stack.h"

namespace weft::detail {

// Returns a stack of at least `size` usable bytes with a guard of `guard` bytes. Throws
// std::bad_alloc.
stack borrow_stack(std::size_t size, std::size_t guard);
void return_stack(const stack& s) noexcept;

// In a forked child, in which another thread may have held the lock.
void renew_borrowed_stacks_after_fork();

// Returns the borrowed stack whose usable bytes or guard contain `address`, or a stack without an
// arena. Safe in signal handlers: finds none while another thread holds the lock.
stack borrowed_stack_at(std::uintptr_t address) noexcept;

}  // namespace weft::detail
