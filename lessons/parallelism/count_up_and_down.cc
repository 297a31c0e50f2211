// The exercise: one fiber counts down from 100 to 0, another one up from 0 to 100.
#include <weft/weft.h>

#include "lessons/parallelism/programs.h"
#include "lessons/parallelism/token.h"

namespace parallelism {

using lesson::print;
using weft::go;

void count_up_and_down(const settings& s) {
  weft::wait_group both;
  both.add(2);

  print("Starting Go Routines\n");
  go({.name = "down"}, [&] {
    steps step(s);
    for (int n = 100; n >= 0; --n) {
      print("{} ", n);
      step.next();
    }
    both.done();
  });
  go({.name = "up"}, [&] {
    steps step(s);
    for (int n = 0; n <= 100; ++n) {
      print("{} ", n);
      step.next();
    }
    both.done();
  });

  print("Waiting To Finish\n");
  both.wait();
  print("\nTerminating Program\n");
}

}  // namespace parallelism
