// The end of the process with one sentence.
#pragma once
#include <string_view>

namespace weft::detail {

// For a bug of weft: prints "fatal error: WHAT" and aborts.
[[noreturn]] void fatal(std::string_view what) noexcept;

// For a limit that is reached, where no caller can handle an error: prints "fatal error: WHAT" and
// exits with status 2, as Go does.
[[noreturn]] void give_up(std::string_view what) noexcept;

// Writes "weft: TEXT" as one line to standard error. Lines of several threads do not mix.
void log_line(std::string_view text) noexcept;

}  // namespace weft::detail
