// P5: two fibers, A and B, print the 669 primes below 5000: long work on one P.
//
// Go cuts such work into time slices. weft does not switch a fiber out in the middle of its own
// code: A and B take turns where they yield.
#include "lessons/parallelism/primes.h"
#include "lessons/support/page.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;

void print_primes(char prefix, int yield_every) {
  int printed = 0;
  for (int n = 2; n < 5000; ++n) {
    if (!is_prime(n)) continue;
    print("{}:{}\n", prefix, n);
    if (yield_every > 0 && ++printed % yield_every == 0) weft::yield();
  }
  print("Completed {}\n", prefix);
}

void print_primes_twice(int yield_every) {
  weft::wait_group both;
  both.add(2);

  print("Create Goroutines\n");
  go({.name = "A"}, [&] {
    print_primes('A', yield_every);
    both.done();
  });
  go({.name = "B"}, [&] {
    print_primes('B', yield_every);
    both.done();
  });

  print("Waiting To Finish\n");
  both.wait();
  print("Terminating Program\n");
}

void long_work() { print_primes_twice(0); }
void long_work_with_yields() { print_primes_twice(lesson::yield_every() > 0 ? lesson::yield_every() : 100); }

constexpr lesson::traits condensed{
    .end = lesson::at_end::leave, .maxprocs = 1, .pictured = true, .shown = lesson::paper::condensed};

const lesson::page p5{"P5",
                      "long_work",
                      {{"no-yields", "long work, no yields", long_work, condensed},
                       {"yields", "long work, with yields", long_work_with_yields, condensed}}};

}  // namespace
}  // namespace parallelism
