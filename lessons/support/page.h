// A lesson: one source file with programs, each of which shows one thing.
//
// A program is an ordinary function, the body of a main fiber. The wrong program stands beside the
// right one. The flags, and how a program runs, is measured and is drawn, are the same for every
// lesson:
//
//   const lesson::page page{"L5", "leak", {{"wrong", "no fiber sends", wrong, {.leaks = 1}},
//                                          {"right", ...}}};
//
// All lessons of a section are linked into one program. Its command line names the lesson to run.
#pragma once
#include <weft/weft.h>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lessons/support/figures.h"
#include "lessons/support/print.h"

namespace lesson {

// What happens after a program's main fiber has returned.
enum class at_end {
  settle,  // waits for the fibers that end, and counts the others
  leave,   // nothing: the other fibers are abandoned, as in Go
};

// How a pictured program shows its output: each print when it comes, or how many lines each fiber
// printed in a row.
enum class paper { live, condensed };

struct traits {
  int leaks = 0;  // fibers that stay blocked, because the program shows a leak
  weft::duration later = std::chrono::milliseconds(20);  // when it is clear that they stay, times --scale
  at_end end = at_end::settle;
  int maxprocs = 0;       // Ps without --maxprocs; 0: weft's own number
  bool one_cpu = false;   // all threads run on one CPU
  bool pictured = false;  // the report is shown without --picture
  paper shown = paper::live;
};

struct variant {
  std::string_view name, title;
  void (*main)();
  traits expected = {};
};

// How the programs of a page are shown together.
struct layout {
  bool columns = false;                                        // beside each other, on one time axis
  std::string (*compare)(std::span<const figures>) = nullptr;  // a sentence about all programs of the page
  int work = 0;                                                // --work, if it is not given
};

// One lesson. An object at namespace scope, one per lesson, registers it.
class page {
 public:
  page(std::string_view id, std::string_view name, std::vector<variant> variants, layout shown = {});

  const std::string_view id, name;
  const std::vector<variant> variants;
  const layout shown;
};

// All pages of this program, in the order of their ids.
const std::vector<const page*>& pages();

// Returns d times --scale.
weft::duration scaled(weft::duration d);

// The flags of programs that print in steps: --yield-every, or 0, and --work.
int yield_every();
int work_per_step();

// The addresses of the lessons' servers, by --port and --debug-port: ":8080" and "127.0.0.1:8001".
std::string app_address(std::string_view host = "");
std::string debug_address();

// The time that has passed, divided by --scale: a sleep of scaled(1s) takes 1000 ms of it.
class stopwatch {
 public:
  long ms() const;

 private:
  weft::time_point began_ = weft::now();
};

// Prints a line, in one piece.
template <class... Args>
void println(fmt::format_string<Args...> f, Args&&... args) {
  put(fmt::format(f, std::forward<Args>(args)...) + "\n");
}

// What the main() of a section calls. Returns the exit status.
int section_main(int argc, char** argv);

}  // namespace lesson
