#include "lessons/support/html_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lessons/support/html_template.h"
#include "lessons/support/quoted.h"

namespace lesson {
namespace {

long ns(weft::time_point t, weft::time_point from) { return std::chrono::nanoseconds(t - from).count(); }

// "</script>" in a string would end the page's script.
std::string in_script(std::string_view text) {
  std::string all = quoted(text);
  for (std::size_t at = 0; (at = all.find("</", at)) != all.npos; at += 3) all.replace(at, 2, "<\\/");
  return all;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) all += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return all;
}

std::string figures_line(const figures& f) {
  return fmt::format(
      "At most {} at the same instant, two or more for {} % of the time. {} switches. {} of CPU in {} of wall: {:.2f} "
      "CPUs "
      "at work, {} for this process.",
      f.at_once == 1 ? "1 fiber" : fmt::format("{} fibers", f.at_once), percent(f.at_once_share), f.switches,
      shown_time(f.cpu), shown_time(f.wall), f.cpus_busy(), f.cpus);
}

// The M of a stretch that shared a CPU is -1 - M. The names stand once, and a stretch has its begin
// as the distance in nanoseconds from the begin of the stretch before it: a recording of a hundred
// thousand stretches stays readable for a browser.
std::string data(const titled_run& run) {
  const record& r = run.what;
  weft::time_point from = weft::time_point::max();
  for (const auto& s : r.stretches) from = std::min(from, s.from);
  std::map<std::string, std::size_t> numbers;
  std::string names, stretches, prints;
  const auto number = [&](const std::string& name) {
    const auto [at, is_new] = numbers.try_emplace(name, numbers.size());
    if (is_new) names += in_script(name) + ",";
    return at->second;
  };
  long before = 0;
  for (const auto& s : r.stretches) {
    const long at = ns(s.from, from);
    stretches += fmt::format("{},{},{},{},{},{},\n", s.fiber, number(name_of(s)), s.p, s.shared ? -1 - s.m : s.m,
                             at - before, ns(s.to, s.from));
    before = at;
  }
  for (const printed& p : r.prints)
    prints += fmt::format("[{},{},{},{:.3f}],\n", p.fiber, number(p.name), in_script(p.text),
                          static_cast<double>(ns(p.at, from)) / 1e3);
  const figures f = count(r);
  return fmt::format(
      "{{title: {}, verdict: {}, figures: {}, procs: {}, names: [{}], packed: [\n{}], prints: [\n{}]}},\n",
      in_script(run.title), in_script(run.conclusion()), in_script(figures_line(f)), r.maxprocs, names, stretches,
      prints);
}

void put_in(std::string& page, std::string_view mark, const std::string& text) {
  for (std::size_t at = 0; (at = page.find(mark, at)) != page.npos; at += text.size())
    page.replace(at, mark.size(), text);
}

}  // namespace

std::string html_page(std::string_view title, std::span<const titled_run> runs) {
  std::string page(html_template), all;
  for (const titled_run& r : runs) all += data(r);
  put_in(page, "%TITLE%", escaped(title));
  put_in(page, "%DATA%", all);
  return page;
}

}  // namespace lesson
