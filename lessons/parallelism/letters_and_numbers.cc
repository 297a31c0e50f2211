// P0 to P3: two fibers print, one the alphabet, one the numbers from 1 to 26.
#include "lessons/parallelism/token.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;
using namespace std::chrono_literals;

enum class sleeper { none, letters, numbers };

void print_both(sleeper which) {
  weft::wait_group both;
  both.add(2);

  print("Starting Go Routines\n");
  go({.name = "letters"}, [&] {
    if (which == sleeper::letters) weft::sleep(1us);
    steps step;
    for (char c = 'a'; c <= 'z'; ++c) {
      print("{} ", c);
      step.next();
    }
    both.done();
  });
  go({.name = "numbers"}, [&] {
    if (which == sleeper::numbers) weft::sleep(1us);
    steps step;
    for (int n = 1; n <= 26; ++n) {
      print("{} ", n);
      step.next();
    }
    both.done();
  });

  print("Waiting To Finish\n");
  both.wait();
  print("\nTerminating Program\n");
}

void letters_and_numbers() { print_both(sleeper::none); }
void letters_sleep_first() { print_both(sleeper::letters); }
void numbers_sleep_first() { print_both(sleeper::numbers); }

constexpr lesson::traits on(int maxprocs, bool one_cpu = false) {
  return {.end = lesson::at_end::leave, .maxprocs = maxprocs, .one_cpu = one_cpu, .pictured = true};
}

const lesson::page p0{"P0",
                      "parallelism",
                      {{"one-p", "1 P", letters_and_numbers, on(1)},
                       {"two-ps", "2 Ps", letters_and_numbers, on(2)},
                       {"one-cpu", "2 Ps on one CPU", letters_and_numbers, on(2, true)}},
                      {.columns = true, .work = work_per_token}};
const lesson::page p1{"P1",
                      "letters_and_numbers",
                      {{"right", "letters and numbers", letters_and_numbers, on(1)}},
                      {.work = work_per_token}};
const lesson::page p2{"P2",
                      "sleep_first",
                      {{"letters", "the letters sleep 1 us first", letters_sleep_first, on(1)},
                       {"numbers", "the numbers sleep 1 us first", numbers_sleep_first, on(1)}},
                      {.work = work_per_token}};
const lesson::page p3{"P3",
                      "letters_on_two_ps",
                      {{"right", "letters and numbers", letters_and_numbers, on(2)}},
                      {.work = work_per_token}};

}  // namespace
}  // namespace parallelism
