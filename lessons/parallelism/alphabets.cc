// P4, P6: two fibers print the alphabet three times each, one in lower case, one in upper case.
#include "lessons/parallelism/token.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;

void alphabets() {
  weft::wait_group both;
  both.add(2);

  const auto print_three_times = [&](char first) {
    steps step;
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

constexpr lesson::traits on(int maxprocs) {
  return {.end = lesson::at_end::leave, .maxprocs = maxprocs, .pictured = true};
}

const lesson::page p4{
    "P4", "alphabets", {{"right", "two alphabets, three times each", alphabets, on(1)}}, {.work = work_per_token}};
const lesson::page p6{"P6",
                      "alphabets_on_two_ps",
                      {{"right", "two alphabets, three times each", alphabets, on(2)}},
                      {.work = work_per_token}};

}  // namespace

}  // namespace parallelism
