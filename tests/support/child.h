// Runs a program to its end, for facts about how a process dies.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

namespace weft::testing {

struct outcome {
  int status;  // exit status, or 128 + the signal that killed it
  bool timed_out;
  std::string out, err;
};

// Runs `argv`, kills it after `limit_s`, and returns what it wrote and how it ended. From the
// test's own thread, outside any world.
outcome run_child(const std::vector<std::string>& argv, int limit_s = 60);

// The path of a program that was built beside this one.
std::string beside_this_program(const std::string& name);

}  // namespace weft::testing
