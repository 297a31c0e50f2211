// The flags that all lessons share.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "lessons/support/lesson.h"

namespace lesson {

struct command_line {
  std::string program;  // "": the story
  settings fibers;      // maxprocs 0: the program's own
  int repeat = 1;
  int width = 0;  // columns; 0: the terminal's
  bool json = false;
  std::string html;  // a file for the picture as a page; further parts get a number
};

// What to run, or the exit status after a help text or a complaint has been printed.
std::variant<command_line, int> parse(int argc, char** argv, const about& lesson, std::span<const program> programs);

}  // namespace lesson
