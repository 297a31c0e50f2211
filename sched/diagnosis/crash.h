// Signals that a fiber causes: a stack overflow, a null pointer, a failed assertion.
//
// The report names the fiber and shows its stack. Then the process ends as without weft: by the
// signal, with a core file if core files are enabled; after an overflow with status 2. A handler
// that the program had installed before run() is called instead of the report, and after it if a
// stack has overflowed. With a sanitizer, the sanitizer handles these signals.
#pragma once
#include <signal.h>

namespace weft::detail {

// From run(), at the begin and the end of a world.
void install_crash_handlers() noexcept;
void uninstall_crash_handlers() noexcept;

// Registers of the code that a handler has interrupted.
struct frame_registers;
frame_registers interrupted_registers(const void* ucontext) noexcept;

// Removes an installed handler: restores `old`, if `handler` is still installed.
void restore_handler(int sig, void (*handler)(int, siginfo_t*, void*), const struct sigaction& old) noexcept;

}  // namespace weft::detail
