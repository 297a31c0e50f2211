// Exceptions that leave a fiber.
//
// No frame of ours catches them: the search for a handler ends at the bottom of the fiber's stack, and
// the C++ runtime then calls the terminate handler at the place of the throw, with nothing unwound. So
// the report shows where the exception came from, which a catch (...) below the fiber could not. As in
// every C++ program that dies of an exception, no destructor runs.
#pragma once
#include <string>

namespace weft::detail {

struct G;

// From run(), at the begin and the end of a world. A terminate handler that the program had installed
// before is called after the report; without one the process ends with status 2.
void catch_panics() noexcept;
void leave_panics_alone() noexcept;

// Ends the process with `text` as a panic of the calling fiber `g`, with its stack as it is.
[[noreturn]] void panic_of(const G& g, const std::string& text);

// Returns at once, unless a fiber is telling its panic: then the process ends when it has.
void let_a_panic_finish() noexcept;

// The same for a deadlock verdict: a panic whose own telling waits for ever gets its last line here.
void let_a_panic_finish_or_end() noexcept;

}  // namespace weft::detail
