#include "lessons/support/command_line.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

namespace lesson {
namespace {

std::string program_list(std::span<const program> programs) {
  std::string text;
  for (const program& p : programs)
    text += fmt::format("  {:<10}{} ({} {})\n", p.name, p.title, p.maxprocs, p.maxprocs == 1 ? "P" : "Ps");
  return text;
}

void add_flags(CLI::App& app, command_line& c, bool& list) {
  app.add_option("program", c.program, "the sub-program to run; without one, the lesson's story")
      ->option_text("PROGRAM");
  app.add_option("--maxprocs", c.fibers.maxprocs, "Ps, 1 to 1024, instead of the sub-program's own number")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--yield-every", c.fibers.yield_every, "yield after so many tokens or lines")
      ->option_text("K")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--work", c.fibers.work, "rounds of arithmetic per token, about a nanosecond each")
      ->option_text("N")
      ->check(CLI::Range(0, 1'000'000'000));
  app.add_option("--repeat", c.repeat, "run it so many times")->option_text("N")->check(CLI::Range(1, 10'000));
  app.add_option("--width", c.width, "columns of the picture, 40 to 400, instead of the terminal's")
      ->option_text("N")
      ->check(CLI::Range(40, 400));
  app.add_option("--html", c.html, "write the picture of a sub-program as a page for a browser")->option_text("FILE");
  app.add_flag("--json", c.json, "one line of JSON per run, and nothing else");
  app.add_flag("--list", list, "list the sub-programs");
}

int complain(const about& lesson, const std::string& what) {
  fmt::print(stderr, "lesson {}: {}\nlesson {} --help lists the flags, --list the sub-programs\n", lesson.id, what,
             lesson.id);
  return 2;
}

}  // namespace

std::variant<command_line, int> parse(int argc, char** argv, const about& lesson, std::span<const program> programs) {
  command_line c;
  c.fibers = {.maxprocs = 0, .yield_every = 0, .work = lesson.work};
  bool list = false;
  CLI::App app(std::string(lesson.title), fmt::format("lesson {}", lesson.id));
  add_flags(app, c, list);
  app.footer("\nSub-programs:\n" + program_list(programs));
  try {
    std::vector<std::string> args(argv + 1, argv + argc);
    std::reverse(args.begin(), args.end());
    app.parse(args);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(lesson, e.what());
  }
  if (list) {
    fmt::print("{}", program_list(programs));
    return 0;
  }
  if (!c.html.empty() && c.program.empty()) return complain(lesson, "--html: takes a sub-program");
  const auto known = [&](const program& p) { return p.name == c.program; };
  if (!c.program.empty() && std::none_of(programs.begin(), programs.end(), known)) {
    fmt::print(stderr, "lesson {}: there is no sub-program '{}'. There are:\n{}", lesson.id, c.program,
               program_list(programs));
    return 2;
  }
  return c;
}

}  // namespace lesson
