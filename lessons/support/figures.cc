#include "lessons/support/figures.h"

#include <algorithm>
#include <map>

namespace lesson {
namespace {

using weft::timeline::stretch;

stream& stream_of(std::vector<stream>& all, const stretch& s) {
  const std::string name = name_of(s);
  const auto at = std::find_if(all.begin(), all.end(), [&](const stream& x) { return x.name == name; });
  if (at != all.end()) return *at;
  all.emplace_back().name = name;
  all.back().first_fiber = s.fiber;
  return all.back();
}

// Sweeps over the moments at which a fiber begins or ends to run.
void count_overlap(const std::vector<stretch>& stretches, figures& f) {
  std::map<weft::time_point, int> change;
  for (const stretch& s : stretches) {
    if (s.fiber == main_fiber || s.from == s.to) continue;
    ++change[s.from];
    --change[s.to];
  }
  std::chrono::nanoseconds any{}, several{};
  int running = 0;
  weft::time_point before{};
  for (const auto& [when, by] : change) {
    if (running > 0) any += when - before;
    if (running > 1) several += when - before;
    running += by;
    f.at_once = std::max(f.at_once, running);
    before = when;
  }
  if (any.count() > 0) f.at_once_share = static_cast<double>(several.count()) / static_cast<double>(any.count());
}

int count_output_changes(const std::vector<printed>& prints) {
  int changes = 0;
  std::uint64_t last = 0;
  for (const printed& p : prints) {
    if (p.fiber == main_fiber) continue;
    if (last != 0 && p.fiber != last) ++changes;
    last = p.fiber;
  }
  return changes;
}

}  // namespace

std::string name_of(std::uint64_t fiber, std::string_view name) {
  if (fiber == main_fiber) return "main";
  return std::string(name.empty() ? "fibers" : name);
}

figures count(const record& r) {
  figures f{.maxprocs = r.maxprocs, .wall = r.wall, .cpu = r.cpu, .streams = {}};
  std::map<int, std::uint64_t> last_on;  // P: the fiber it ran last
  for (const stretch& s : r.stretches) {
    if (s.fiber == main_fiber) continue;
    stream& mine = stream_of(f.streams, s);
    mine.fibers.insert(s.fiber);
    mine.ps.insert(s.p);
    mine.ms.insert(s.m);
    mine.running += s.to - s.from;
    std::uint64_t& last = last_on[s.p];
    if (last != s.fiber) ++mine.turns;
    if (last != 0 && last != s.fiber) ++f.switches;
    last = s.fiber;
  }
  count_overlap(r.stretches, f);
  f.output_changes = count_output_changes(r.prints);
  return f;
}

}  // namespace lesson
