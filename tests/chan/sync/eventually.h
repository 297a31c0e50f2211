// Waiting for what other fibers are about to do, without assuming how long they take.
#pragma once
#include <weft/errors.h>
#include <weft/time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/catch.h"

namespace weft::testing {

// Lets others run until done() is true. What never comes is a hang, which the test's guard reports.
template <class Done>
void await(Done done) {
  while (!done()) sleep(std::chrono::microseconds(50));
}

// Long enough that a fiber that can run usually has run; used where the fact is that it has not.
inline void give_others_time() { sleep(std::chrono::milliseconds(3)); }

// What f throws says, if it throws a weft::panic.
template <class F>
std::string panic_of(F f) {
  try {
    f();
  } catch (const panic& p) {
    return p.what();
  }
  return {};
}

// Catch's own checks are for the main fiber alone. This one is for all others, and ends the
// process.
inline void must(bool fact, const char* text, const char* file, int line) {
  if (fact) return;
  std::fprintf(stderr, "%s:%d: a fiber found that not: %s\n", file, line, text);
  std::abort();
}

}  // namespace weft::testing

#define MUST(...) ::weft::testing::must(bool(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
