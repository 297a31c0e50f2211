// One step of a fiber that prints: the token, and what --work and --yield-every add to it.
#pragma once
#include <weft/go.h>

#include "lessons/support/page.h"

namespace parallelism {

// --work, if it is not given: long enough for a second P to wake and take part, which a bare print
// is not.
inline constexpr int work_per_token = 200'000;

class steps {
 public:
  // Called after each token.
  void next() {
    lesson::work(lesson::work_per_step());
    if (lesson::yield_every() > 0 && ++taken_ % lesson::yield_every() == 0) weft::yield();
  }

 private:
  int taken_ = 0;
};

}  // namespace parallelism
