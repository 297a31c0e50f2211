// A hundred thousand fibers, each of which counts itself.
#include <weft/weft.h>

#include <atomic>

#include "lessons/parallelism/programs.h"
#include "lessons/support/print.h"

namespace parallelism {

using lesson::print;

void crowd(const settings&) {
  constexpr int fibers = 100'000;
  std::atomic<int> finished = 0;
  weft::wait_group all;
  all.add(fibers);

  print("Starting {} fibers\n", fibers);
  for (int i = 0; i < fibers; ++i)
    weft::go({.name = "crowd"}, [&] {
      finished.fetch_add(1, std::memory_order_relaxed);
      all.done();
    });

  print("Waiting To Finish\n");
  all.wait();
  print("{} finished\n", finished.load());
}

}  // namespace parallelism
