// What a lesson program is: sub-programs made of fibers, and the main() that all lessons share.
//
// A lesson's own files hold nothing but what its fibers do. Flags, measuring, recording, drawing and
// the words about what happened are here, the same for every lesson:
//
//   int main(int argc, char** argv) { return lesson::main(argc, argv, about, programs); }
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lessons/support/figures.h"

namespace lesson {

// What the command line says, as far as fibers want to know.
struct settings {
  int maxprocs = 1;     // Ps of this run
  int yield_every = 0;  // yield after so many tokens or lines; 0: never
  int work = 0;         // rounds of arithmetic per token, about a nanosecond each
};

// How the output of a part is shown: as it comes, or, where it has thousands of lines, as who
// printed how many in a row.
enum class paper { live, condensed };

// One run of fibers: the body of its main fiber.
struct part {
  std::string_view title;
  void (*fibers)(const settings&);
  paper shown = paper::live;
};

// A sub-program.
struct program {
  std::string_view name, title;
  int maxprocs;  // Ps, unless --maxprocs says otherwise
  std::vector<part> parts;
  std::string (*compare)(std::span<const figures>) = nullptr;  // a sentence about all parts
};

struct about {
  std::string_view id, title;
  std::vector<std::string_view> story;  // the sub-programs that run when none is named
  // After the story, of which it sees all parts: a sentence or two that say what to see in it.
  std::string (*closing)(std::span<const figures>) = nullptr;
  int work = 0;  // the default of --work
};

// Runs what the command line asks for. Returns the exit status: 0, or 2 for a bad command line.
int main(int argc, char** argv, const about& lesson, std::span<const program> programs);

}  // namespace lesson
