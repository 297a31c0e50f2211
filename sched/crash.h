// Signals that a fiber gets for what it did: a stack overflow, a null pointer, a failed assertion.
//
// The report names the fiber and shows its stack. Then the process ends as it would have: by the signal,
// with a core file if those are wanted; after an overflow with status 2. A handler that the program had
// installed before run() is called instead of the report, and after it if a stack has overflowed. Under
// a sanitizer these signals are the sanitizer's.
#pragma once
#include <signal.h>

namespace weft::detail {

struct M;

// From run(), at the begin and the end of a world.
void catch_crashes() noexcept;
void leave_crashes_alone() noexcept;

// A fiber whose stack is used up cannot run a handler on it: each M has another stack for handlers.
// From the M's own thread. One that the thread has already is kept.
void give_signal_stack(M* m) noexcept;
void take_signal_stack(M* m) noexcept;

// Registers of the code that a handler has interrupted.
struct frame_registers;
frame_registers interrupted_registers(const void* ucontext) noexcept;

// Ends an installed handler: `old` is back, if `handler` still stands there.
void restore_handler(int sig, void (*handler)(int, siginfo_t*, void*), const struct sigaction& old) noexcept;

}  // namespace weft::detail
