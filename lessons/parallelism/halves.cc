// The same work whole and in halves: what a second P is good for.
#include <fmt/format.h>
#include <weft/weft.h>

#include "lessons/parallelism/primes.h"
#include "lessons/parallelism/programs.h"
#include "lessons/support/print.h"
#include "lessons/support/report.h"

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

}  // namespace

void the_whole(const settings&) {
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

// Every other odd number each, so that both halves weigh the same.
void two_halves(const settings&) {
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

std::string compare_halves(std::span<const lesson::figures> f) {
  const double ratio = static_cast<double>(f[1].wall.count()) / static_cast<double>(f[0].wall.count());
  return fmt::format("Whole: {}. Two halves on {} {}: {}, {:.2f} of that. {}", lesson::shown_time(f[0].wall),
                     f[1].maxprocs, f[1].maxprocs == 1 ? "P" : "Ps", lesson::shown_time(f[1].wall), ratio,
                     f[1].maxprocs == 1 ? "Dividing work among fibers makes it concurrent, not faster."
                                        : "Only a second P, on a CPU that is free, makes it faster.");
}

}  // namespace parallelism
