// What weft::sim makes of one kernel.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "corpus/corpus.h"

namespace corpus {

struct settings {
  std::uint64_t seed = 4;  // the best of eight: docs/testing.md
  weft::sim::strategy how = weft::sim::strategy::random;
  std::size_t schedules = 100;  // of the broken program
  std::size_t twin_schedules = 10'000;  // of the repaired one
  int replays = 100;
};

struct outcome {
  const kernel* of = nullptr;
  weft::sim::report broken, twin;
  int same_replays = 0;  // of settings::replays
  double schedules_a_second = 0;  // of the twin
  bool found = false;
};

// GoKer's kernels, the blocking ones first.
std::vector<kernel> goker();
// Explores both variants.
outcome measure(const kernel& k, const settings& s);
// True if the broken program passes when no fiber has to end: it runs in a fiber that the main
// fiber does not wait for, and leaks are not looked for. So what finds a blocking bug is the search
// for it, not the way to run it.
bool passes_unobserved(const kernel& k, const settings& s);

}  // namespace corpus
