// How many CPUs there are for this process, and how many Ps a program should have that does not say.
#pragma once
#include <optional>
#include <string_view>

namespace weft::detail {

// More Ps than this a world cannot have.
inline constexpr int max_procs = 1024;

// CPUs in the calling thread's affinity mask, at least 1. Where the mask cannot be read, all that
// are online.
int cpu_count() noexcept;

// What a default number of Ps is made of.
struct maxprocs_facts {
  const char* weft_maxprocs = nullptr;  // the variables' values; null or "": not set
  const char* gomaxprocs = nullptr;
  const char* weft_debug = nullptr;     // "cgroup=0" among its words, between commas: no quota
  int cpus = 1;
  std::optional<int> quota = {};
};

// WEFT_MAXPROCS, else GOMAXPROCS, else the fewer of the CPUs and the quota. A quota counts as 2 at
// least: with one P a fiber that computes keeps all others waiting. `complain`, if any, is told in a
// line of each variable that says no number from 1 to max_procs and is passed over.
int choose_maxprocs(const maxprocs_facts& f, void (*complain)(std::string_view line));

// choose_maxprocs() for this process, now. Logs complaints the first time only. The choice does not
// follow a quota or a mask that changes later: maxprocs(n) does.
int default_maxprocs();

}  // namespace weft::detail
