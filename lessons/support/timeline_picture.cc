// A column is a span of time. It shows the fiber that ran longest in it, or + if three or more
// stretches of different fibers lie in it.
#include "lessons/support/timeline_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <map>

#include "lessons/support/figures.h"

namespace lesson {
namespace {

using weft::timeline::stretch;

constexpr char idle = '.', mixed = '+';
constexpr int margin = 6;  // "  P0  "
constexpr int no_p_lane = INT_MAX;  // below the Ps: the lanes of pictures beside each other are in line

struct column {
  std::map<std::string, double> share;  // of the column, by fiber name
  int stretches = 0;
};

struct scale {
  weft::time_point from;
  double span_ns;
  int columns;
  double at(weft::time_point t) const { return static_cast<double>((t - from).count()) / span_ns * columns; }
};

scale scale_of(const std::vector<stretch>& stretches, int columns, std::chrono::nanoseconds span) {
  return {stretches.front().from, std::max(1.0, static_cast<double>(std::max(span, span_of(stretches)).count())),
          columns};
}

void add(std::vector<column>& lane, const stretch& s, const scale& x) {
  const double from = x.at(s.from), to = x.at(s.to);
  const std::string name = name_of(s);
  for (int i = static_cast<int>(from); i < x.columns && i < to; ++i) {
    column& c = lane[static_cast<std::size_t>(i)];
    c.share[name] += std::min(to, i + 1.0) - std::max(from, static_cast<double>(i));
    ++c.stretches;
  }
}

// "" for an idle column, "+" for a mixed one, else the name that rules it.
std::string ruler(const column& c) {
  double busy = 0;
  auto longest = c.share.end();
  for (auto at = c.share.begin(); at != c.share.end(); ++at) {
    busy += at->second;
    if (longest == c.share.end() || at->second > longest->second) longest = at;
  }
  if (busy < 0.1 && c.stretches < 3) return "";  // many short ones: the P was busy with switching
  if (c.share.size() > 1 && c.stretches > 2 && longest->second < 0.9 * busy) return "+";
  return longest->first;
}

// A run of equal columns on a terminal with colours: a block with the name in it, if there is room.
std::string block(const std::string& name, std::size_t length, const terminal& t, cast& who) {
  if (name.empty()) return t.dim(std::string(length, idle));
  if (name == "+") return t.styled("7", std::string(length, mixed));
  const role& r = who.of(name);
  std::string text = length >= name.size() + 2 ? " " + name : std::string(1, r.letter);
  text.resize(length, ' ');
  return t.styled(r.block(), text);
}

std::string drawn(const std::vector<column>& lane, const terminal& t, cast& who) {
  std::string line;
  for (std::size_t i = 0; i < lane.size();) {
    const std::string name = ruler(lane[i]);
    std::size_t end = i + 1;
    while (end < lane.size() && ruler(lane[end]) == name) ++end;
    if (t.colour) line += block(name, end - i, t, who);
    else line.append(end - i, name.empty() ? idle : name == "+" ? mixed : who.of(name).letter);
    i = end;
  }
  return line;
}

// Ticks at round times, with room for their labels.
std::string axis(const scale& x) {
  constexpr double to_next[] = {2, 2.5, 2};  // 1, 2, 5, 10
  double step = 1;                           // ns
  for (int i = 0; step / x.span_ns * x.columns < 12; ++i) step *= to_next[i % 3];
  const double span = x.span_ns;
  const auto [unit, ns] = span < 5e3   ? std::pair{"ns", 1.0}
                          : span < 2e6 ? std::pair{"us", 1e3}
                          : span < 2e9 ? std::pair{"ms", 1e6}
                                       : std::pair{"s", 1e9};
  std::string line(static_cast<std::size_t>(x.columns), ' ');
  for (int i = 0; i * step <= span; ++i) {
    const auto at = static_cast<std::size_t>(std::lround(i * step / span * x.columns));
    const std::string label = i == 0 ? "|0" : fmt::format("|{:g} {}", i * step / ns, unit);
    if (at + label.size() <= line.size()) line.replace(at, label.size(), label);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string legend(const std::map<int, std::vector<column>>& lanes, const terminal& t, cast& who) {
  std::map<int, std::string> items;
  bool is_mixed = false, is_idle = false;
  for (const auto& [p, lane] : lanes)
    for (const column& c : lane) {
      const std::string name = ruler(c);
      if (name == "+") is_mixed = true;
      if (name.empty()) is_idle = true;
      for (const auto& [n, share] : c.share) {
        const role& r = who.of(n);
        const std::string key(1, r.letter);
        items[r.number] = (t.colour ? t.styled(r.block(), " " + key + " ") : key) + (n == key ? "" : " " + n);
      }
    }
  std::string line;
  if (!items.empty() && items.begin()->first == 0) {  // main stands last
    items[INT32_MAX] = items[0];
    items.erase(0);
  }
  const auto say = [&](const std::string& item) { line += (line.empty() ? "" : "   ") + item; };
  for (const auto& [number, item] : items) say(item);
  if (is_mixed) say(fmt::format("{} several in turn", mixed));
  if (is_idle) say(t.dim(fmt::format("{} idle", idle)));
  return line;
}

struct picture {
  scale x;
  std::map<int, std::vector<column>> lanes;  // by P, or no_p_lane
};

picture picture_of(const std::vector<stretch>& stretches, int procs, const terminal& t, std::chrono::nanoseconds span) {
  constexpr int always_shown = 8;
  picture all{scale_of(stretches, t.width - margin - 1, span), {}};
  const std::vector<column> empty(static_cast<std::size_t>(all.x.columns));
  for (int p = 0; p < std::min(procs, always_shown); ++p) all.lanes[p] = empty;
  for (const stretch& s : stretches)
    add(all.lanes.try_emplace(s.has_p() ? s.p : no_p_lane, empty).first->second, s, all.x);
  return all;
}

}  // namespace

std::chrono::nanoseconds span_of(const std::vector<stretch>& stretches) {
  std::chrono::nanoseconds span{};
  for (const stretch& s : stretches) span = std::max<std::chrono::nanoseconds>(span, s.to - stretches.front().from);
  return span;
}

std::string lanes_picture(const std::vector<stretch>& stretches, int procs, const terminal& t, cast& who,
                          std::chrono::nanoseconds span) {
  if (stretches.empty()) return "";
  const picture all = picture_of(stretches, procs, t, span);
  std::string text;
  for (const auto& [p, lane] : all.lanes)
    text += fmt::format("  {:<4}{}\n", p == no_p_lane ? "no P" : fmt::format("P{}", p), drawn(lane, t, who));
  if (const int more = procs - static_cast<int>(all.lanes.size() - all.lanes.count(no_p_lane)); more > 0)
    text += fmt::format("  and {} more Ps that ran nothing\n", more);
  return text + std::string(margin, ' ') + t.dim(axis(all.x)) + "\n";
}

std::string timeline_legend(const std::vector<stretch>& stretches, int procs, const terminal& t, cast& who,
                            std::chrono::nanoseconds span) {
  if (stretches.empty()) return "";
  return std::string(margin, ' ') + legend(picture_of(stretches, procs, t, span).lanes, t, who) + "\n";
}

std::string timeline_picture(const std::vector<stretch>& stretches, int procs, const terminal& t, cast& who) {
  return lanes_picture(stretches, procs, t, who) + timeline_legend(stretches, procs, t, who);
}

}  // namespace lesson
