// Runs programs of a page.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "lessons/support/page.h"

namespace lesson {

struct run_flags {
  int maxprocs = 0;  // 0: the program's own number
  double scale = 1;
  int port = 8080, debug_port = 8001;
  int yield_every = 0;
  std::optional<int> work;  // without: the page's
  int repeat = 1;
  bool picture = false, json = false;
  std::string html;  // a file for the page, or empty
  int width = 0;     // columns of the picture, 0: the terminal's
};

// Runs one program in this process. Returns the exit status, unless the program ends the process.
int run_variant(const page& of, const variant& v, const run_flags& flags);

// Runs all programs of a page. Pictured ones run in this process, the others in a process each,
// because some end theirs. `args` are the arguments of this process. Returns 0, or 1 if a page
// could not be written.
int run_all(const page& of, const run_flags& flags, char** args);

}  // namespace lesson
