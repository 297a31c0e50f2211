// The number of CPUs for this process, and the default number of Ps.
#pragma once
#include <optional>
#include <string_view>

namespace weft::detail {

// The largest number of Ps of a world.
inline constexpr int max_procs = 1024;

// Returns the number of CPUs in the calling thread's affinity mask, at least 1. If the mask cannot
// be read, the number of CPUs that are online.
int cpu_count() noexcept;

// The inputs of the default number of Ps.
struct maxprocs_facts {
  const char* weft_maxprocs = nullptr;  // the variables' values; null or "": not set
  const char* gomaxprocs = nullptr;
  const char* weft_debug = nullptr;     // "cgroup=0" among its words, between commas: no quota
  int cpus = 1;
  std::optional<int> quota = {};
};

// Returns WEFT_MAXPROCS, else GOMAXPROCS, else the smaller of the number of CPUs and the quota. A
// quota counts as at least 2: with one P a fiber that computes keeps all others waiting. Calls
// `complain`, unless it is null, with one line for each variable that is ignored because it is no
// number from 1 to max_procs.
int choose_maxprocs(const maxprocs_facts& f, void (*complain)(std::string_view line));

// Calls choose_maxprocs() for this process. Logs complaints the first time only. The result does
// not change with a quota or a mask that changes later; maxprocs(n) changes the number of Ps.
int default_maxprocs();

}  // namespace weft::detail
