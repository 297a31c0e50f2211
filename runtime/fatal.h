// The end of the process when something cannot go on, said in one sentence.
#pragma once
#include <string_view>

namespace weft::detail {

// Our own fault: prints "fatal error: WHAT" and aborts.
[[noreturn]] void fatal(std::string_view what) noexcept;

// A limit is reached and nobody can be told but the user: prints "fatal error: WHAT" and exits with status 2, as Go
// does.
[[noreturn]] void give_up(std::string_view what) noexcept;

// One line on standard error, whole even when several threads write: "weft: TEXT".
void log_line(std::string_view text) noexcept;

}  // namespace weft::detail
