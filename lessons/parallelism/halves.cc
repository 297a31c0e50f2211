// P8: the same work whole and in two halves.
#include "lessons/parallelism/primes.h"
#include "lessons/support/page.h"
#include "lessons/support/verdict.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;

constexpr int limit = 24'000;

int count_primes(int first, int step) {
  int found = 0;
  for (int n = first; n < limit; n += step) found += is_prime(n) ? 1 : 0;
  return found;
}

void the_whole() {
  weft::wait_group one;
  int found = 0;
  one.add(1);
  go({.name = "whole"}, [&] {
    found = count_primes(1, 2);
    one.done();
  });
  one.wait();
  print("{} odd primes below {}\n", found, limit);
}

// Each takes every second odd number, so that both halves are equally long.
void two_halves() {
  weft::wait_group both;
  int first = 0, second = 0;
  both.add(2);
  go({.name = "first half"}, [&] {
    first = count_primes(1, 4);
    both.done();
  });
  go({.name = "second half"}, [&] {
    second = count_primes(3, 4);
    both.done();
  });
  both.wait();
  print("{} odd primes below {}\n", first + second, limit);
}

// Says whether it was faster, and why not.
std::string compare_halves(std::span<const lesson::figures> f) {
  const lesson::figures &whole = f[0], &halves = f[1];
  const double ratio = static_cast<double>(halves.wall.count()) / static_cast<double>(whole.wall.count());
  std::string text =
      fmt::format("Whole: {}. Two halves on {} {}: {}, {:.2f} of that.", lesson::shown_time(whole.wall),
                  halves.maxprocs, halves.maxprocs == 1 ? "P" : "Ps", lesson::shown_time(halves.wall), ratio);
  if (lesson::machine_is_busy(whole) || lesson::machine_is_busy(halves))
    return "The machine was too busy to compare. " + text;
  if (halves.maxprocs == 1) return text + " Work divided among fibers is concurrent, not faster.";
  if (halves.usable() < 2) return text + " Two Ps that share one CPU are not faster.";
  return text + (ratio < 0.75 ? " Two CPUs worked at the same time." : " The second P got little CPU time.");
}

constexpr lesson::traits on_two_ps{.end = lesson::at_end::leave, .maxprocs = 2, .pictured = true};

const lesson::page p8{"P8",
                      "halves",
                      {{"whole", "the whole", the_whole, on_two_ps}, {"halves", "two halves", two_halves, on_two_ps}},
                      {.compare = compare_halves}};

}  // namespace
}  // namespace parallelism
