// P9: a hundred thousand fibers, each of which counts itself.
#include <atomic>

#include "lessons/support/page.h"

namespace parallelism {
namespace {

using lesson::print;

void crowd() {
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

const lesson::page p9{
    "P9",
    "crowd",
    {{"right", "100,000 fibers", crowd, {.end = lesson::at_end::leave, .maxprocs = 1, .pictured = true}}}};

}  // namespace
}  // namespace parallelism
