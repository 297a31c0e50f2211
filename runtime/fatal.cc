#include "runtime/fatal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace weft::detail {
namespace {

void write_whole(const std::string& line) noexcept {
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void fatal(std::string_view what) noexcept {
  write_whole("fatal error: " + std::string(what) + "\n");
  std::abort();
}

void give_up(std::string_view what) noexcept {
  std::fflush(stdout);
  write_whole("fatal error: " + std::string(what) + "\n");
  _exit(2);
}

void log_line(std::string_view text) noexcept { write_whole("weft: " + std::string(text) + "\n"); }

}  // namespace weft::detail
