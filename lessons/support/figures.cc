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

// Calls f(span, n) for each span of time in which n > 0 of the stretches that `counts` accepts run.
// Where fibers share the CPUs of the Ps, n is at most the number of Ps. Fibers without a P count as
// far as there are CPUs for them.
template <class Counts, class F>
void sweep(const record& r, Counts counts, F f) {
  struct by {
    int running = 0, sharing = 0, with_p = 0;
  };
  std::map<weft::time_point, by> change;
  for (const stretch& s : r.stretches) {
    if (!counts(s) || s.from == s.to) continue;
    change[s.from].running += 1;
    change[s.from].sharing += s.shared;
    change[s.from].with_p += s.has_p();
    change[s.to].running -= 1;
    change[s.to].sharing -= s.shared;
    change[s.to].with_p -= s.has_p();
  }
  by now;
  weft::time_point before{};
  for (const auto& [when, change_by] : change) {
    const int most = now.sharing > 0 ? r.maxprocs : std::max(now.with_p, std::max(r.cpus, 1));
    if (now.running > 0) f(when - before, std::min(now.running, most));
    now.running += change_by.running;
    now.sharing += change_by.sharing;
    now.with_p += change_by.with_p;
    before = when;
  }
}

void count_overlap(const record& r, figures& f) {
  std::chrono::nanoseconds any{}, several{};
  sweep(
      r, [](const stretch& s) { return s.fiber != main_fiber; },
      [&](std::chrono::nanoseconds span, int running) {
        any += span;
        if (running > 1) several += span;
        f.at_once = std::max(f.at_once, running);
      });
  if (any.count() > 0) f.at_once_share = static_cast<double>(several.count()) / static_cast<double>(any.count());
}

void count_could_use(const record& r, figures& f) {
  double ns = 0;
  sweep(
      r, [](const stretch&) { return true; },
      [&](std::chrono::nanoseconds span, int running) {
        ns += static_cast<double>(span.count()) * std::min<double>(running, f.usable());
      });
  f.could_use = std::chrono::nanoseconds(static_cast<long>(ns));
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
  figures f;
  f.maxprocs = r.maxprocs;
  f.cpus = r.cpus;
  f.quota = r.quota;
  f.wall = r.wall;
  f.cpu = r.cpu;
  f.preempted = r.preempted;
  weft::time_point began = weft::time_point::max();
  for (const stretch& s : r.stretches) began = std::min(began, s.from);
  std::map<int, std::uint64_t> last_on;  // P: the fiber it ran last
  for (const stretch& s : r.stretches) {
    if (s.fiber == main_fiber) continue;
    stream& mine = stream_of(f.streams, s);
    mine.fibers.insert(s.fiber);
    if (s.has_p()) mine.ps.insert(s.p);
    mine.ms.insert(s.m);
    ++mine.stretches;
    mine.running += s.to - s.from;
    mine.longest = std::max<std::chrono::nanoseconds>(mine.longest, s.to - s.from);
    mine.last = std::max<std::chrono::nanoseconds>(mine.last, s.to - began);
    if (s.shared) f.shared += s.to - s.from;
    if (!s.has_p()) f.without_p += s.to - s.from;
    if (!s.has_p()) continue;
    std::uint64_t& last = last_on[s.p];
    if (last != s.fiber) ++mine.turns;
    if (last != 0 && last != s.fiber) ++f.switches;
    last = s.fiber;
  }
  count_overlap(r, f);
  count_could_use(r, f);
  f.output_changes = count_output_changes(r.prints);
  return f;
}

}  // namespace lesson
