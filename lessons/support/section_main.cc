// The command line of a section: the lesson, its program, and how to run it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "lessons/support/explore.h"
#include "lessons/support/run_page.h"

namespace lesson {
namespace {

struct choice {
  std::string lesson, variant;
  std::size_t explore = 0;  // schedules; 0: the program runs as it is
  bool wrong = false, right = false, list = false;
};

// An option whose value is a number from low to high; anything else is an error that says so.
template <class T>
void add_number(CLI::App& app, const std::string& name, T& value, T low, T high, const std::string& what,
                const std::string& unit = "N") {
  const auto range = [=](const std::string& text) -> std::string {
    T number{};
    const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (err == std::errc() && end == text.data() + text.size() && number >= low && number <= high) return "";
    return fmt::format("takes a number from {} to {}, not '{}'", low, high, text);
  };
  app.add_option(name, value, fmt::format("{}, {} to {}", what, low, high))->option_text(unit)->check(range);
}

void add_flags(CLI::App& app, run_flags& f, choice& c, int& work) {
  app.add_option("lesson", c.lesson, "the id or the name of a lesson")->option_text("LESSON");
  add_number(app, "--maxprocs", f.maxprocs, 1, 1024, "number of Ps");
  add_number(app, "--scale", f.scale, 0.05, 1000.0, "factor for all times of the program", "X");
  add_number(app, "--port", f.port, 0, 65535, "port of a lesson's server instead of 8080");
  add_number(app, "--debug-port", f.debug_port, 0, 65535, "port of its second server instead of 8001");
  app.add_option("--variant", c.variant, "run only this program of the lesson")->option_text("NAME");
  app.add_flag("--wrong", c.wrong, "--variant=wrong");
  app.add_flag("--right", c.right, "--variant=right");
  add_number(app, "--yield-every", f.yield_every, 1, 1'000'000, "P1 to P7: yield after each N tokens or lines");
  add_number(app, "--work", work, 0, 1'000'000'000, "P1 to P7: rounds of arithmetic per token, about 1 ns each");
  add_number(app, "--repeat", f.repeat, 1, 10'000, "run each program N times");
  app.add_flag("--picture", f.picture, "draw which fiber ran on which P, and print figures");
  app.add_option("--html", f.html, "write the picture as a page for a browser")->option_text("FILE");
  app.add_flag("--json", f.json, "print one line of JSON per run and nothing else");
  add_number(app, "--explore", c.explore, std::size_t{1}, std::size_t{1'000'000},
             "run each program in up to N schedules of a simulation");
  add_number(app, "--width", f.width, 40, 400, "columns of the picture");
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

// The programs of one lesson, a line each.
std::string program_list(const page& of) {
  std::string text = fmt::format("\nPrograms of {} {}:\n", of.id, of.name);
  for (const variant& v : of.variants) text += fmt::format("  {:<18}{}\n", v.name, v.title);
  return text;
}

int run_page(const page& of, const choice& c, const run_flags& f, char** argv) {
  if (c.wrong + c.right + !c.variant.empty() > 1) return complain("give one of --wrong, --right and --variant");
  const std::string name = c.wrong ? "wrong" : c.right ? "right" : c.variant;
  if (c.explore > 0) {
    int status = -1;
    for (const variant& v : of.variants)
      if (name.empty() || v.name == name) status = std::max(status, explore_variant(of, v, c.explore));
    if (status >= 0) return status;
  }
  if (name.empty() && of.variants.size() > 1) {
    const bool together = of.shown.columns || of.variants.front().expected.pictured;
    if (!f.html.empty() && !together)
      return complain(fmt::format("--html shows one program: give --variant with one of: {}", names(of)));
    return run_all(of, f, argv);
  }
  for (const variant& v : of.variants)
    if (name.empty() || v.name == name) return run_variant(of, v, f);
  return complain(fmt::format("{} has no program '{}'. Its programs: {}", of.id, name, names(of)));
}

const page* find(std::string_view wanted) {
  for (const page* p : pages())
    if (lower(p->id) == lower(wanted) || lower(p->name) == lower(wanted)) return p;
  return nullptr;
}

// What the flag library says, in this program's words.
int complain_about_flags(const CLI::ParseError& e, const CLI::App& app) {
  const std::string what = e.what();
  if (const auto* missing = dynamic_cast<const CLI::ArgumentMismatch*>(&e)) {
    for (const CLI::Option* o : app.get_options())
      if (missing->what() && what.rfind(o->get_name() + ":", 0) == 0)
        return complain(
            fmt::format("{} needs a value: {}={}; see --help", o->get_name(), o->get_name(), o->get_option_text()));
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&e))
    return complain(fmt::format("unknown argument: {}; see --help", fmt::join(app.remaining(), " ")));
  return complain(what + "; see --help");
}

}  // namespace

int section_main(int argc, char** argv) {
  choice c;
  run_flags f;
  int work = -1;
  CLI::App app("A lesson. Without --variant all its programs run, one after the other.", "lesson");
  add_flags(app, f, c, work);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const page* of = find(c.lesson.empty() && argc > 1 ? argv[1] : c.lesson);
    fmt::print("{}{}", app.help(), of ? program_list(*of) : "");
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain_about_flags(e, app);
  }
  if (work >= 0) f.work = work;
  if (c.list) {
    list();
    return 0;
  }
  if (const page* of = find(c.lesson)) return run_page(*of, c, f, argv);
  return complain(c.lesson.empty() ? "give the id or the name of a lesson; --list lists them"
                                   : fmt::format("there is no lesson '{}' here; --list lists them", c.lesson));
}

}  // namespace lesson
