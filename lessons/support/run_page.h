// Running a program of a page.
#pragma once
#include <string>

#include "lessons/support/page.h"

namespace lesson {

struct run_flags {
  int maxprocs = 0;   // 0: as many as weft takes by itself
  double scale = 1;
  int port = 8080, debug_port = 8001;
  bool picture = false;
  std::string html;   // a file for the page, or empty
  int width = 0;      // columns of the picture, 0: the terminal's
};

// Runs one program in this process. Returns the exit status, unless the program ends the process.
int run_variant(const page& of, const variant& v, const run_flags& flags);

// Runs all programs of a page, each in a process of its own, for some end theirs. Returns 0.
int run_all(const page& of, const run_flags& flags, char** argv);

}  // namespace lesson
