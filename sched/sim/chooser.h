// Who decides what is open in a schedule.
//
// A decision is named by the fiber that comes to it and by how many that fiber has come to before.
// Each has a default, which is candidate 0 or the value 0, so a schedule is its deviations from the
// defaults; the name of a decision survives when deviations before it are removed, which a global
// number would not.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sched/simulated.h"

namespace weft::detail {

struct sim_candidate {
  std::uint64_t fiber = 0;         // 0: the clock, which fires the next timer early
  const void* object = nullptr;    // of its pending operation; null: unknown
};

struct sim_decision {
  std::uint64_t fiber = 0;       // that comes to it
  std::uint32_t number = 0;      // of this fiber
  std::size_t step = 0;          // of the schedule
  sim_op op = sim_op::none;
  const void* object = nullptr;  // of the operation that it is about to do
  bool may_stay = false;         // candidate 0 is the fiber itself
  bool stands_back = false;      // the fiber may run, but has yielded or has run for long
};

// One place where a schedule differs from the default.
struct deviation {
  std::uint64_t fiber = 0;
  std::uint32_t number = 0;
  bool is_value = false;
  std::uint64_t what = 0;        // the fiber that runs instead, or the value

  bool operator==(const deviation&) const = default;
};

class chooser {
 public:
  virtual ~chooser() = default;
  // An index into `among`, which has at least two.
  virtual std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) = 0;
  // Below n, which is at least 2.
  virtual std::uint64_t value(const sim_decision& at, std::uint64_t n) = 0;
  // A coin of the program's own.
  virtual bool coin(const sim_decision& at, std::uint64_t name_hash) = 0;
  // A fiber has been started.
  virtual void started(std::uint64_t) {}
};

}  // namespace weft::detail
