#include "lessons/support/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <weft/go.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>

#include "lessons/support/timeline_picture.h"

namespace lesson {
namespace {

std::string counted(long n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

int percent(double share) { return static_cast<int>(std::lround(share * 100)); }

std::string listed(char kind, const std::set<int>& all) {
  std::string text;
  int shown = 0;
  for (const int i : all) {
    if (shown++ == 3) return text + fmt::format(",..({})", all.size());
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", kind, i);
  }
  return text;
}

std::string table(const figures& f, const terminal& t, cast& who) {
  std::string text =
      t.dim(fmt::format("  {:<16}{:<16}{:<12}{:<12}{:>6}{:>12}", "who", "fiber", "P", "M", "turns", "running")) + "\n";
  for (const stream& s : f.streams) {
    const bool one = s.fibers.size() == 1;
    const std::string fiber = one ? fmt::format("{}", s.first_fiber) : fmt::format("{} of them", s.fibers.size());
    const std::string name = t.styled(who.of(s.name).text(), fmt::format("{:<16}", s.name));
    text += fmt::format("  {}{:<16}{:<12}{:<12}{:>6}{:>12}\n", name, fiber, listed('P', s.ps), listed('M', s.ms),
                        s.turns, shown_time(s.running));
  }
  return text;
}

std::string figure_lines(const figures& f, const terminal& t) {
  const auto line = [&](std::string_view what, const std::string& value) {
    return "  " + t.dim(fmt::format("{:<22}", what)) + value + "\n";
  };
  return line("at the same instant", fmt::format("{} at most; two or more for {} % of the time",
                                                 counted(f.at_once, "fiber", "fibers"), percent(f.at_once_share))) +
         line("switches", fmt::format("{} from one fiber to another", f.switches)) +
         line("time", fmt::format("{} of CPU in {} of wall: {:.2f} CPUs at work", shown_time(f.cpu), shown_time(f.wall),
                                  f.cpus_busy()));
}

std::size_t fibers_of(const figures& f) {
  std::size_t n = 0;
  for (const stream& s : f.streams) n += s.fibers.size();
  return n;
}

std::chrono::nanoseconds running(const figures& f) {
  std::chrono::nanoseconds sum{};
  for (const stream& s : f.streams) sum += s.running;
  return sum;
}

std::string in_parallel(const figures& f) {
  const std::string who = fibers_of(f) == 2 ? "both fibers" : "two or more fibers";
  std::string text = fmt::format("{}: {} ran at once for {} % of the time. That is parallelism.", shown_ps(f.maxprocs),
                                 who, percent(f.at_once_share));
  if (f.maxprocs > weft::num_cpu())
    text += fmt::format(" (More Ps than CPUs, {}: the operating system lets the threads take turns.)", weft::num_cpu());
  else if (f.cpu < running(f) * 3 / 4)
    text += " (But the machine was busy with other programs, and did not give each thread a CPU for itself.)";
  return text;
}

}  // namespace

std::string shown_time(std::chrono::nanoseconds t) {
  double v = static_cast<double>(t.count());
  constexpr std::array units{"ns", "us", "ms", "s"};
  std::size_t i = 0;
  while (v >= 1000 && i + 1 < units.size()) {
    v /= 1000;
    ++i;
  }
  return fmt::format("{:.{}f} {}", v, i == 0 || v >= 100 ? 0 : v >= 10 ? 1 : 2, units[i]);
}

std::string shown_ps(int n) {
  constexpr std::array words{"No", "One", "Two", "Three", "Four"};
  const auto i = static_cast<std::size_t>(n);
  return fmt::format("{} {}", i < words.size() ? words[i] : fmt::format("{}", n), n == 1 ? "P" : "Ps");
}

std::string heading(const program& what, const part& p, int maxprocs, const terminal& t) {
  std::string title = fmt::format("-- {}: {} ", what.name, p.title);
  const std::string right = fmt::format(" {} {} --", maxprocs, maxprocs == 1 ? "P" : "Ps");
  const auto room = static_cast<std::size_t>(std::max(t.width - 1, 0));
  if (title.size() + right.size() < room) title.append(room - title.size() - right.size(), '-');
  return t.bold(title + right) + "\n";
}

std::string condensed(const record& r, const terminal& t) {
  std::string text;
  std::vector<std::string> turns;  // "B: 100 lines"
  const auto flush = [&] {
    constexpr std::size_t most = 14, head = 8, tail = 4;
    if (turns.size() > most) {
      turns[head] = fmt::format("... {} more ...", turns.size() - head - tail);
      turns.erase(turns.begin() + head + 1, turns.end() - tail);
    }
    text += wrapped(fmt::format("{}", fmt::join(turns, ", ")), t.wraps ? t.width - 1 : INT_MAX, 0);
    turns.clear();
  };
  for (std::size_t i = 0; i < r.prints.size();) {
    const printed& first = r.prints[i];
    std::size_t end = i + 1;
    while (end < r.prints.size() && r.prints[end].fiber == first.fiber) ++end;
    if (first.fiber == main_fiber) {
      flush();
      for (; i < end; ++i) text += r.prints[i].text;
    } else {
      turns.push_back(fmt::format("{}: {}", first.name, counted(static_cast<long>(end - i), "line", "lines")));
    }
    i = end;
  }
  flush();
  return text;
}

std::string verdict(const figures& f) {
  const std::string ps = shown_ps(f.maxprocs);
  if (fibers_of(f) < 2) return "One fiber runs on one P at a time, however many Ps there are.";
  if (f.at_once > 1) return in_parallel(f);
  if (f.maxprocs > 1)
    return ps +
           ", and still no two fibers ran at the same instant: each was done, or asleep, before the next P was "
           "awake. "
           "That happens, more so on a busy machine. Run it again.";
  const std::string moral = "0 % of the time two ran at once: concurrent, not parallel.";
  if (f.streams.size() == 2 && f.switches == 1)
    return fmt::format("{}: {} ran from start to end, then {}. {}", ps, f.streams[0].name, f.streams[1].name, moral);
  return fmt::format("{}: the fibers took turns, {} of them. {}", ps, f.switches + 1, moral);
}

std::string report(const record& r, const terminal& t, cast& who) {
  const figures f = count(r);
  for (const stream& s : f.streams) who.of(s.name);
  std::string text = "\n" + table(f, t, who) + "\n" + timeline_picture(r.stretches, r.maxprocs, t, who) + "\n" +
                     figure_lines(f, t) + "\n";
  std::string words = wrapped(verdict(f), t.width - 1, 5);
  words.replace(2, 2, "=>");
  return text + t.bold(words);
}

std::string short_report(int run, const figures& f) {
  return fmt::format(
      "  run {:>3}: the output changed hands {:>4} times, {} at once at the most, {:>3} % of the time, {:>8}\n", run,
      f.output_changes, f.at_once, percent(f.at_once_share), shown_time(f.wall));
}

}  // namespace lesson
