// One step of a fiber that prints: the token, and what --work and --yield-every add to it.
#pragma once
#include <weft/go.h>

#include "lessons/support/lesson.h"
#include "lessons/support/print.h"

namespace parallelism {

class steps {
 public:
  explicit steps(const lesson::settings& s) : s_(s) {}

  // To be called after each token. The work is what a bare print no longer is on today's CPUs: long
  // enough for a second P to wake and take part.
  void next() {
    lesson::work(s_.work);
    if (s_.yield_every > 0 && ++taken_ % s_.yield_every == 0) weft::yield();
  }

 private:
  const lesson::settings& s_;
  int taken_ = 0;
};

}  // namespace parallelism
