// The command line of a section: which lesson, which of its programs, and how to run it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "lessons/support/run_page.h"

namespace lesson {
namespace {

struct choice {
  std::string lesson, variant;
  bool wrong = false, right = false, list = false;
};

void add_flags(CLI::App& app, run_flags& f, choice& c) {
  app.add_option("lesson", c.lesson, "its id or its name")->option_text("LESSON");
  app.add_option("--maxprocs", f.maxprocs, "Ps, 1 to 1024")->option_text("N")->check(CLI::Range(1, 1024));
  app.add_option("--scale", f.scale, "all times of the program times this, 0.001 to 1000")
      ->option_text("X")
      ->check(CLI::Range(0.001, 1000.0));
  app.add_option("--port", f.port, "of a lesson's server, instead of 8080")
      ->option_text("N")
      ->check(CLI::Range(0, 65535));
  app.add_option("--debug-port", f.debug_port, "of its second one, instead of 8001")
      ->option_text("N")
      ->check(CLI::Range(0, 65535));
  app.add_option("--variant", c.variant, "only this one of the lesson's programs")->option_text("NAME");
  app.add_flag("--wrong", c.wrong, "--variant=wrong");
  app.add_flag("--right", c.right, "--variant=right");
  app.add_flag("--picture", f.picture, "draw what ran on which P, and count");
  app.add_option("--html", f.html, "write the picture as a page for a browser")->option_text("FILE");
  app.add_option("--width", f.width, "columns of the picture, 40 to 400")->option_text("N")->check(CLI::Range(40, 400));
  app.add_flag("--list", c.list, "list lessons and programs: id, name, programs");
}

std::string lower(std::string_view text) {
  std::string all(text);
  std::transform(all.begin(), all.end(), all.begin(), [](unsigned char ch) { return std::tolower(ch); });
  return all;
}

std::string names(const page& of) {
  std::string all;
  for (const variant& v : of.variants) all += (all.empty() ? "" : " ") + std::string(v.name);
  return all;
}

void list() {
  for (const page* p : pages()) fmt::print("{} {} {}\n", p->id, p->name, names(*p));
}

int complain(const std::string& what) {
  fmt::print(stderr, "lesson: {}\n", what);
  return 2;
}

int run_page(const page& of, const choice& c, const run_flags& f, char** argv) {
  if (c.wrong + c.right + !c.variant.empty() > 1) return complain("one of --wrong, --right and --variant");
  const std::string name = c.wrong ? "wrong" : c.right ? "right" : c.variant;
  if (name.empty() && of.variants.size() > 1) {
    if (!f.html.empty()) return complain("--html takes one program: --variant=" + names(of));
    return run_all(of, f, argv);
  }
  for (const variant& v : of.variants)
    if (name.empty() || v.name == name) return run_variant(of, v, f);
  return complain(fmt::format("{} has no program '{}', but: {}", of.id, name, names(of)));
}

}  // namespace

int section_main(int argc, char** argv) {
  choice c;
  run_flags f;
  CLI::App app("Lessons of one section. Without --variant all programs of a lesson run, one after the other.",
               "lesson");
  add_flags(app, f, c);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(fmt::format("{}; see --help", e.what()));
  }
  if (c.list) {
    list();
    return 0;
  }
  for (const page* p : pages())
    if (lower(p->id) == lower(c.lesson) || p->name == c.lesson) return run_page(*p, c, f, argv);
  return complain(c.lesson.empty() ? "which lesson? --list lists them"
                                   : fmt::format("there is no lesson '{}' here; --list lists them", c.lesson));
}

}  // namespace lesson
