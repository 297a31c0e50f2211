#include "lessons/support/lesson.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "lessons/support/command_line.h"
#include "lessons/support/html_page.h"
#include "lessons/support/recorded_run.h"
#include "lessons/support/report.h"

namespace lesson {
namespace {

// print() writes past stdio, so what stdio holds must go first.
void show(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// The page of a program's i-th part: FILE, then FILE-2.html and so on. False: it could not be written.
bool write_page(const program& what, const part& p, const record& r, std::string file) {
  const auto i = &p - what.parts.data();
  if (const auto dot = file.rfind('.'); i > 0)
    file.insert(dot == file.npos ? file.size() : dot, fmt::format("-{}", i + 1));
  std::ofstream out(file, std::ios::binary);
  out << html_page(fmt::format("{}: {}, {} {}", what.name, p.title, r.maxprocs, r.maxprocs == 1 ? "P" : "Ps"), r);
  if (out.flush()) return true;
  fmt::print(stderr, "lesson: cannot write {}\n", file);
  return false;
}

figures run_part(const program& what, const part& p, const command_line& c, settings s, const terminal& t) {
  if (s.maxprocs == 0) s.maxprocs = what.maxprocs;
  cast who;
  figures first;
  for (int run = 1; run <= c.repeat; ++run) {
    if (c.json) {
      show(as_json(what, p, s, recorded_run([&] { p.fibers(s); }, s.maxprocs, {})));
      continue;
    }
    if (run > 1) {
      show(short_report(run, count(recorded_run([&] { p.fibers(s); }, s.maxprocs, {}))));
      continue;
    }
    show(heading(what, p, s.maxprocs, t));
    const record r =
        recorded_run([&] { p.fibers(s); }, s.maxprocs, p.shown == paper::live ? screen{&t, &who} : screen{});
    if (p.shown == paper::condensed) show(condensed(r, t));
    show(report(r, t, who));
    if (!c.html.empty() && !write_page(what, p, r, c.html)) std::exit(1);
    first = count(r);
  }
  if (!c.json) show("\n");
  return first;
}

std::vector<figures> run_program(const program& what, const command_line& c, const terminal& t) {
  std::vector<figures> all;
  for (const part& p : what.parts) all.push_back(run_part(what, p, c, c.fibers, t));
  if (!c.json && what.compare) show(t.bold(wrapped(what.compare(all), t.width - 1, 2)) + "\n");
  return all;
}

const program& find(std::span<const program> programs, std::string_view name) {
  std::size_t i = 0;
  while (programs[i].name != name) ++i;
  return programs[i];
}

}  // namespace

int main(int argc, char** argv, const about& lesson, std::span<const program> programs) {
  const auto parsed = parse(argc, argv, lesson, programs);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& c = std::get<command_line>(parsed);
  terminal t = stdout_terminal();
  if (c.width > 0) {
    t.width = c.width;
    t.wraps = true;
  }
  if (!c.program.empty()) {
    run_program(find(programs, c.program), c, t);
    return 0;
  }
  if (!c.json) show(t.bold(lesson.title) + "\n\n");
  std::vector<figures> all;
  for (const std::string_view name : lesson.story)
    for (const figures& f : run_program(find(programs, name), c, t)) all.push_back(f);
  if (!c.json && lesson.closing) show(t.bold(wrapped(lesson.closing(all), t.width - 1, 0)));
  return 0;
}

}  // namespace lesson
