// Two fibers print the alphabet three times each, one in lower case, one in upper case.
#include <weft/weft.h>

#include "lessons/parallelism/programs.h"
#include "lessons/parallelism/token.h"

namespace parallelism {

using lesson::print;
using weft::go;

void alphabets(const settings& s) {
  weft::wait_group both;
  both.add(2);

  const auto print_three_times = [&](char first) {
    steps step(s);
    for (int round = 0; round < 3; ++round)
      for (char c = first; c < first + 26; ++c) {
        print("{} ", c);
        step.next();
      }
    both.done();
  };

  print("Starting Go Routines\n");
  go({.name = "lower case"}, [&] { print_three_times('a'); });
  go({.name = "upper case"}, [&] { print_three_times('A'); });

  print("Waiting To Finish\n");
  both.wait();
  print("\nTerminating Program\n");
}

}  // namespace parallelism
