// Several runs beside each other, so that the same program can be compared under different
// conditions.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "lessons/support/report.h"
#include "lessons/support/timeline_picture.h"

namespace lesson {
namespace {

using lines = std::vector<std::string>;

constexpr int between = 2;  // columns

// The number of columns that `text` takes, without its escape codes.
std::size_t visible(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') i = text.find('m', i);
    else ++n;
  }
  return n;
}

void append(lines& to, const std::string& text) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) to.push_back(line);
}

// What the fibers printed, in lines of `width` columns.
lines output_of(const record& r, std::size_t width, const terminal& t, cast& who) {
  lines all{""};
  std::size_t at = 0;
  const auto new_line = [&] {
    all.emplace_back();
    at = 0;
  };
  const auto write = [&](const printed& p, const std::string& text) {
    if (at > 0 && at + text.size() > width) new_line();
    all.back() += p.fiber == main_fiber ? text.substr(0, width) : t.styled(who.of(p.name).text(), text);
    at += text.size();
  };
  for (const printed& p : r.prints) {
    std::size_t from = 0;
    for (std::size_t to; (to = p.text.find('\n', from)) != p.text.npos; from = to + 1) {
      write(p, p.text.substr(from, to - from));
      new_line();
    }
    write(p, p.text.substr(from));
  }
  return all;
}

lines measured(const figures& f, const terminal& t) {
  return {t.bold(fmt::format("{:.2f} CPUs at work", f.cpus_busy())),
          fmt::format("two held a P: {} %", percent(f.at_once_share)),
          fmt::format("wall time: {}", shown_time(f.wall))};
}

// Writes the cells beside each other.
std::string beside(const std::vector<lines>& cells, std::size_t width) {
  std::size_t high = 0;
  for (const lines& c : cells) high = std::max(high, c.size());
  std::string text;
  for (std::size_t row = 0; row < high; ++row) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = row < cells[i].size() ? cells[i][row] : "";
      line += cell;
      if (const std::size_t n = visible(cell); i + 1 < cells.size() && n < width + between)
        line.append(width + between - n, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

std::string columns(std::span<const titled_run> runs, const terminal& t) {
  const auto n = static_cast<int>(runs.size());
  const int width = std::max(20, (t.width - 1 - between * (n - 1)) / n);
  terminal narrow = t;
  narrow.width = width + 1;
  std::chrono::nanoseconds span{};
  for (const titled_run& r : runs) span = std::max(span, span_of(r.what.stretches));
  cast who;
  for (const titled_run& r : runs)
    for (const stream& s : count(r.what).streams) who.of(s.name);
  std::vector<lines> titles, outputs, lanes, figures_of;
  std::string verdicts, legend;
  for (const titled_run& r : runs) {
    const auto w = static_cast<std::size_t>(width);
    titles.push_back({t.bold(r.title.substr(0, w)), std::string(w, '-')});
    outputs.push_back(output_of(r.what, w, t, who));
    lanes.emplace_back();
    append(lanes.back(), lanes_picture(r.what.stretches, r.what.maxprocs, narrow, who, span));
    figures_of.push_back(measured(count(r.what), t));
    verdicts += conclusion(r.conclusion(), t);
    if (legend.empty()) legend = timeline_legend(r.what.stretches, r.what.maxprocs, t, who, span);
  }
  std::string text;
  for (const auto& cells : {titles, outputs, lanes, figures_of})
    text += beside(cells, static_cast<std::size_t>(width)) + "\n";
  return text + legend + "\n" + verdicts;
}

}  // namespace lesson
