// P7: one fiber counts down from 100 to 0, another fiber up from 0 to 100.
#include "lessons/parallelism/token.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;

void count_up_and_down() {
  weft::wait_group both;
  both.add(2);

  print("Starting Go Routines\n");
  go({.name = "down"}, [&] {
    steps step;
    for (int n = 100; n >= 0; --n) {
      print("{} ", n);
      step.next();
    }
    both.done();
  });
  go({.name = "up"}, [&] {
    steps step;
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

const lesson::page p7{"P7",
                      "exercise",
                      {{"right",
                        "counting down and up",
                        count_up_and_down,
                        {.end = lesson::at_end::leave, .maxprocs = 1, .pictured = true}}},
                      {.work = work_per_token}};

}  // namespace

}  // namespace parallelism
