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
  std::vector<weft::timeline::stretch> stretches;
  std::vector<printed> prints;
  std::chrono::nanoseconds wall{}, cpu{};
};

// All fibers of one name: a crowd is one stream.
struct stream {
  std::string name;
  std::uint64_t first_fiber = 0;
  std::set<std::uint64_t> fibers;
  std::set<int> ps, ms;
  int turns = 0;  // times a P took up one of them after somebody else
  std::chrono::nanoseconds running{};
};

// The main fiber, which starts the others and waits, is not counted in but for the first three.
struct figures {
  int maxprocs = 1;
  std::chrono::nanoseconds wall{}, cpu{};
  std::vector<stream> streams;  // in the order in which they first ran
  int switches = 0;             // times a P went from one fiber to another one
  int at_once = 0;              // the most fibers that ran at the same instant
  double at_once_share = 0;     // of the time in which any ran: two or more did
  int output_changes = 0;       // times the output went from one fiber to another one

  double cpus_busy() const {
    return wall.count() > 0 ? static_cast<double>(cpu.count()) / static_cast<double>(wall.count()) : 0;
  }
};

inline constexpr std::uint64_t main_fiber = 1;

// What a fiber is called in a report: "main", its name, or "fibers" for all that have none.
std::string name_of(std::uint64_t fiber, std::string_view name);
inline std::string name_of(const weft::timeline::stretch& s) { return name_of(s.fiber, s.name); }

figures count(const record& r);

}  // namespace lesson
