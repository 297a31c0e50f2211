// Running a lesson as a child process, and reading what it says in JSON.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child.h"

namespace weft::testing {

// Runs lessons/<chapter>/<id> with `args`, its output in a pipe.
outcome run_lesson(const std::string& path, const std::vector<std::string>& args);

// As above with its output on a terminal of `columns` columns and these variables ("NAME=value")
// added to the test's own. Returns what appeared there, without carriage returns.
std::string lesson_on_terminal(const std::string& path, const std::vector<std::string>& args, int columns,
                               const std::vector<std::string>& variables);

// One line of --json.
struct lesson_line {
  std::string json;

  double number(const std::string& key) const;
  // [fiber name, text] of every print, in the order on the screen.
  std::vector<std::pair<std::string, std::string>> prints() const;
  // The texts of one fiber, one after the other.
  std::string printed_by(const std::string& fiber) const;
};

// The lines of a run that must have succeeded.
std::vector<lesson_line> lesson_json(const std::string& path, std::vector<std::string> args);

std::vector<std::string> lines_of(const std::string& text);

}  // namespace weft::testing
