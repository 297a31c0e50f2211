// The end of a process by an error, and how much is printed then: WEFT_DEBUG=traceback. Go's
// GOTRACEBACK.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/debug_settings.h"
#include "sched/ancestry.h"

namespace weft::detail {

// Returns the level of the running world; `single` if there is none.
traceback traceback_level() noexcept;

// Returns the fibers that have started fiber `id`, one after the other, with debug.ancestors.
std::vector<ancestor> ancestors_of(std::uint64_t id);

// Returns the text about every fiber except `but`, with traceback=all and above; else "".
std::string describe_other_fibers(std::uint64_t but);

// Exit status 2, without destructors, as Go's runtime; with traceback=crash SIGABRT, for a core
// file.
[[noreturn]] void exit_by_error() noexcept;

}  // namespace weft::detail
