#include "lessons/support/html_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "lessons/support/html_template.h"
#include "lessons/support/quoted.h"
#include "lessons/support/report.h"

namespace lesson {
namespace {

double us(weft::time_point t, weft::time_point from) { return static_cast<double>((t - from).count()) / 1e3; }

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

std::string data(const record& r) {
  weft::time_point from = weft::time_point::max();
  for (const auto& s : r.stretches) from = std::min(from, s.from);
  std::string stretches, prints;
  for (const auto& s : r.stretches)
    stretches += fmt::format("[{},{},{},{},{:.3f},{:.3f}],\n", s.fiber, in_script(name_of(s)), s.p, s.m,
                             us(s.from, from), us(s.to, from));
  for (const printed& p : r.prints)
    prints += fmt::format("[{},{},{},{:.3f}],\n", p.fiber, in_script(p.name), in_script(p.text), us(p.at, from));
  return fmt::format("const procs = {}, stretches = [\n{}], prints = [\n{}];\n", r.maxprocs, stretches, prints);
}

std::string figures_line(const figures& f) {
  return fmt::format(
      "{} at most ran at the same instant, two or more for {:.0f} % of the time. {} switches. {} of CPU in {} of wall.",
      f.at_once == 1 ? "1 fiber" : fmt::format("{} fibers", f.at_once), 100 * f.at_once_share, f.switches,
      shown_time(f.cpu), shown_time(f.wall));
}

void put_in(std::string& page, std::string_view mark, const std::string& text) {
  for (std::size_t at = 0; (at = page.find(mark, at)) != page.npos; at += text.size())
    page.replace(at, mark.size(), text);
}

}  // namespace

std::string html_page(std::string_view title, const record& r) {
  const figures f = count(r);
  std::string page(html_template);
  put_in(page, "%TITLE%", escaped(title));
  put_in(page, "%VERDICT%", escaped(verdict(f)));
  put_in(page, "%FIGURES%", escaped(figures_line(f)));
  put_in(page, "%DATA%", data(r));
  return page;
}

}  // namespace lesson
