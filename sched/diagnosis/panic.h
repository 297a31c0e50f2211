// Exceptions that leave a fiber.
//
// No frame of weft catches them: the search for a handler ends at the bottom of the fiber's stack.
// The C++ runtime then calls the terminate handler at the place of the throw, with nothing unwound.
// So the report shows the place of the throw, which a catch (...) below the fiber could not. As in
// every C++ program that an exception ends, no destructor runs.
#pragma once
#include <string>

namespace weft::detail {

struct G;

// From run(), at the begin and the end of a world. A terminate handler that the program had
// installed before is called after the report; without one the process ends with status 2.
void install_panic_handler() noexcept;
void uninstall_panic_handler() noexcept;

// Ends the process with `text` as a panic of the calling fiber `g`, with its stack as it is.
[[noreturn]] void panic_of(const G& g, const std::string& text);

// Returns immediately, unless a fiber prints its panic: then the process ends when that is done.
void let_a_panic_finish() noexcept;

// The same for a deadlock verdict: ends a process in which the text of a panic waits without end.
void let_a_panic_finish_or_end() noexcept;

}  // namespace weft::detail
