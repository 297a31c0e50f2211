#include "lessons/support/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace lesson {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string terminal::styled(std::string_view code, std::string_view text) const {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

terminal stdout_terminal() {
  terminal t;
  if (!isatty(STDOUT_FILENO)) return t;
  t.wraps = true;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) t.width = std::clamp<int>(size.ws_col, 40, 400);
  t.colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return t;
}

std::string wrapped(std::string_view text, int width, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::istringstream words{std::string(text)};
  std::string all, line, word;
  while (words >> word) {
    if (!line.empty() && indent + static_cast<int>(line.size() + 1 + word.size()) > width) {
      all += margin + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? all : all + margin + line + "\n";
}

}  // namespace lesson
