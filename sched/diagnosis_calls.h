// What the scheduler finds and sched/diagnosis/ reports.
//
// The scheduler does not include diagnosis, which stands on top of it. run() is the one place that
// reaches both: it sets these functions before the first fiber runs.
#pragma once
#include <cstdint>
#include <string>

namespace weft::detail {

struct G;
struct M;
struct world;

struct diagnosis_calls {
  // Prints the deadlock verdict and ends the process.
  void (*deadlock)(world&) = nullptr;
  // m's fiber is about to suspend for `reason` inside a region that forbids it. Ends the process if
  // that is true.
  void (*suspended_in_region)(M* m, const char* reason) = nullptr;
  // Ends the process with `text` as a panic of g, which is the calling fiber.
  void (*panic_of)(const G& g, const std::string& text) = nullptr;
  // Returns the line that WEFT_DEBUG=schedtrace prints, `since_ns` after the world began.
  std::string (*schedtrace_line)(world&, std::int64_t since_ns) = nullptr;
};

// Set once in a process, by the first run().
extern diagnosis_calls diagnosis;

}  // namespace weft::detail
