// What happened in one run, and what can be counted in it.
#pragma once
#include <weft/timeline.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lesson {

// One call of print().
struct printed {
  std::uint64_t fiber;
  std::string name;  // as name_of() has it
  std::string text;
  weft::time_point at = {};
};

// As recorded.
struct record {
  int maxprocs = 1;
  int cpus = 1;      // in the affinity mask
  double quota = 0;  // CPUs by the cgroup's quota, 0: none
  std::vector<weft::timeline::stretch> stretches;
  std::vector<printed> prints;
  std::chrono::nanoseconds wall{}, cpu{};  // of the part, cpu as the kernel counts it
  long preempted = 0;                      // times the kernel took the CPU of a thread that could run
};

// All fibers of one name: a crowd is one stream.
struct stream {
  std::string name;
  std::uint64_t first_fiber = 0;
  std::set<std::uint64_t> fibers;
  std::set<int> ps, ms;
  int turns = 0;      // times a P took up one of them after another fiber
  int stretches = 0;  // times one of them ran
  std::chrono::nanoseconds running{}, longest{};
  std::chrono::nanoseconds last{};  // from the beginning of the recording to the end of its last stretch
};

// The main fiber, which starts the others and waits, is counted only in wall, cpu and could_use.
struct figures {
  int maxprocs = 1, cpus = 1;
  double quota = 0;
  std::chrono::nanoseconds wall{}, cpu{};
  long preempted = 0;                    // as in record
  std::chrono::nanoseconds could_use{};  // CPU time that the fibers that ran could use on these CPUs
  std::vector<stream> streams;           // in the order in which they first ran
  int switches = 0;                      // times a P went from one fiber to another fiber
  int at_once = 0;                       // the most fibers that ran at the same instant
  double at_once_share = 0;              // of the time in which any ran: two or more did
  std::chrono::nanoseconds shared{};     // time of the stretches that shared the CPUs of the Ps
  std::chrono::nanoseconds without_p{};  // time of the stretches without a P
  int output_changes = 0;                // times the output went from one fiber to another fiber

  double cpus_busy() const {
    return wall.count() > 0 ? static_cast<double>(cpu.count()) / static_cast<double>(wall.count()) : 0;
  }
  // CPUs that the process can use at the same time.
  double usable() const { return quota > 0 && quota < cpus ? quota : cpus; }
};

inline constexpr std::uint64_t main_fiber = 1;

// The name of a fiber in a report: "main", its name, or "fibers" for all without a name.
std::string name_of(std::uint64_t fiber, std::string_view name);
inline std::string name_of(const weft::timeline::stretch& s) { return name_of(s.fiber, s.name); }

figures count(const record& r);

}  // namespace lesson
