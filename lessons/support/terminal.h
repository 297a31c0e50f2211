// What stdout is: a terminal with colours, or a file, or a pipe.
#pragma once
#include <string>
#include <string_view>

namespace lesson {

struct terminal {
  int width = 80;
  bool colour = false;
  bool wraps = false;  // lines end at `width`; a file has lines of any length

  // Puts `text` in the style of an ANSI code such as "1" or "30;46"; as it is without colours.
  std::string styled(std::string_view code, std::string_view text) const;
  std::string bold(std::string_view text) const { return styled("1", text); }
  std::string dim(std::string_view text) const { return styled("2", text); }
};

// Colours only on a terminal, and only if NO_COLOR is unset or empty and TERM is not dumb.
terminal stdout_terminal();

// `text` in lines of at most `width` columns, every one after `indent` blanks.
std::string wrapped(std::string_view text, int width, int indent);

}  // namespace lesson
