#include "lessons/support/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <climits>

#include "lessons/support/timeline_picture.h"

namespace lesson {
namespace {

std::string counted(long n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

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
  const std::string quota = f.usable() < f.cpus ? fmt::format(", a quota of {:.2f}", f.quota) : "";
  const auto time_if_any = [&](std::string_view what, std::chrono::nanoseconds time) {
    return time.count() == 0 ? "" : line(what, shown_time(time));
  };
  return line("at the same instant", fmt::format("{} at most; two or more for {} % of the time",
                                                 counted(f.at_once, "fiber", "fibers"), percent(f.at_once_share))) +
         time_if_any("without a P", f.without_p) + time_if_any("on a shared CPU", f.shared) +
         line("switches", fmt::format("{} from one fiber to another", f.switches)) +
         line("time", fmt::format("{} of CPU in {} of wall: {:.2f} CPUs at work", shown_time(f.cpu), shown_time(f.wall),
                                  f.cpus_busy())) +
         line("CPUs", fmt::format("{} for this process{}", f.cpus, quota));
}

}  // namespace

std::string heading(std::string_view name, std::string_view what, int maxprocs, const terminal& t) {
  std::string title = fmt::format("-- {}: {} ", name, what);
  const std::string right = maxprocs == 0 ? "" : fmt::format(" {} {} --", maxprocs, maxprocs == 1 ? "P" : "Ps");
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

std::string report(const titled_run& run, const terminal& t, cast& who) {
  const record& r = run.what;
  const figures f = count(r);
  for (const stream& s : f.streams) who.of(s.name);
  std::string text = "\n" + table(f, t, who) + "\n" + timeline_picture(r.stretches, r.maxprocs, t, who) + "\n" +
                     figure_lines(f, t) + "\n";
  return text + conclusion(run.conclusion(), t);
}

std::string conclusion(std::string_view sentences, const terminal& t) {
  std::string words = wrapped(sentences, t.width - 1, 5);
  words.replace(2, 2, "=>");
  return t.bold(words);
}

std::string short_report(int run, const figures& f) {
  return fmt::format(
      "  run {:>3}: the output changed from fiber to fiber {:>4} times, at most {} ran at the same instant, {:.2f} "
      "CPUs at work, "
      "{:>8}\n",
      run, f.output_changes, f.at_once, f.cpus_busy(), shown_time(f.wall));
}

}  // namespace lesson
