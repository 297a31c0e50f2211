// What every fiber test needs: a world of a given width that must end as it began.
#pragma once
#include <weft/weft.h>

#include <exception>
#include <utility>

#include "tests/support/catch.h"

namespace weft::testing {

// Runs `f` as the main fiber of a world with `o`, or of `maxprocs` Ps. Checks inside `f` that throw
// reach the caller, and a fiber that `f` started and that is still alive when it returns fails the
// test.
template <class F>
void in_world(const options& o, F f) {
  std::exception_ptr failure;
  std::size_t left_over = 0;
  run(o, [&] {
    try {
      f();
      for (int i = 0; i < 1000 && num_fibers() > 1; ++i) sleep(std::chrono::milliseconds(1));
      left_over = num_fibers() - 1;
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  CHECK(left_over == 0);
}
template <class F>
void in_world(int maxprocs, F f) {
  options o;
  o.maxprocs = maxprocs;
  in_world(o, std::move(f));
}

// As in_world, for facts about fibers that are meant to stay blocked.
template <class F>
void in_leaky_world(int maxprocs, F f) {
  std::exception_ptr failure;
  options o;
  o.maxprocs = maxprocs;
  run(o, [&] {
    try {
      f();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace weft::testing
