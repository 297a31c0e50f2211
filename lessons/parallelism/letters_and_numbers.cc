// Two fibers print, one the alphabet, one the numbers from 1 to 26.
#include <weft/weft.h>

#include "lessons/parallelism/programs.h"
#include "lessons/parallelism/token.h"

namespace parallelism {
namespace {

using lesson::print;
using weft::go;
using namespace std::chrono_literals;

enum class sleeper { nobody, letters, numbers };

void print_both(const settings& s, sleeper who) {
  weft::wait_group both;
  both.add(2);

  print("Starting Go Routines\n");
  go({.name = "letters"}, [&] {
    if (who == sleeper::letters) weft::sleep(1us);
    steps step(s);
    for (char c = 'a'; c <= 'z'; ++c) {
      print("{} ", c);
      step.next();
    }
    both.done();
  });
  go({.name = "numbers"}, [&] {
    if (who == sleeper::numbers) weft::sleep(1us);
    steps step(s);
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

}  // namespace

void letters_and_numbers(const settings& s) { print_both(s, sleeper::nobody); }
void letters_sleep_first(const settings& s) { print_both(s, sleeper::letters); }
void numbers_sleep_first(const settings& s) { print_both(s, sleeper::numbers); }

}  // namespace parallelism
