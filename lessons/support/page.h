// A lesson of the chapter: a folder with one source file, whose programs each show one thing.
//
// A program is an ordinary function, the body of a main fiber; the wrong one stands beside the right
// one. What the flags are, how a program is run, counted and drawn is here, the same for every lesson:
//
//   const lesson::page page{"L5", "leak", {{"wrong", "nobody sends", wrong, {.leaks = 1}}, {"right", ...}}};
//
// All lessons of a section are linked into one program, which runs the one that its command line names.
#pragma once
#include <weft/weft.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lessons/support/print.h"

namespace lesson {

// What happens when a program's main fiber has returned.
enum class at_end {
  settle,  // those fibers that will end are waited for, the others counted
  leave,   // nothing: as in Go, the others are abandoned in the middle of what they do
};

struct traits {
  int leaks = 0;  // fibers that stay for ever, because that is what the program shows
  weft::duration later = std::chrono::milliseconds(20);  // when it is clear that they stay, times --scale
  at_end end = at_end::settle;
};

struct variant {
  std::string_view name, title;
  void (*main)();
  traits expected = {};
};

// One lesson. Defined once per source file, at namespace scope: that makes it known.
class page {
 public:
  page(std::string_view id, std::string_view name, std::vector<variant> variants);

  const std::string_view id, name;
  const std::vector<variant> variants;
};

// All pages of this program, in the order of their ids.
const std::vector<const page*>& pages();

// The program's times are multiplied by --scale, so that a lecture's seconds need not be waited for.
weft::duration scaled(weft::duration d);

// The addresses of the lessons' servers, by --port and --debug-port: ":8080" and "127.0.0.1:8001".
std::string app_address(std::string_view host = "");
std::string debug_address();

// Time that has passed, in the program's own measure: a sleep of scaled(1s) takes 1000 ms of it.
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

// What a section's main() calls: the exit status.
int section_main(int argc, char** argv);

}  // namespace lesson
