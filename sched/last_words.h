// How much is told when an error ends the process: WEFT_DEBUG=traceback. Go's GOTRACEBACK.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/debug_settings.h"
#include "sched/ancestry.h"

namespace weft::detail {

// As the world that runs wants it.
traceback told() noexcept;

// Who has started the fiber, with debug.ancestors.
std::vector<ancestor> ancestors_of(std::uint64_t id);

// With traceback=all and above: every fiber but `but`.
std::string the_others(std::uint64_t but);

// Exit status 2, without destructors, as Go's runtime; with traceback=crash SIGABRT, for a core file.
[[noreturn]] void end_by_error() noexcept;

}  // namespace weft::detail
