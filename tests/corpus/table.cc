// ./tools/dev corpus: what weft::sim finds in the corpus, as a table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include "corpus/measure.h"

namespace {

using corpus::kernel;
using corpus::outcome;
using corpus::settings;

// Published scores on the same kernels, by their authors. Runs of a Go program, except the last of
// the first group.
constexpr const char* published =
    "Scores of other tools on GoKer's blocking kernels, as published\n"
    "  Go's deadlock detector      20 of 67 in 100 runs [1]\n"
    "  go-deadlock                 34 of 67 in 100 runs [1]\n"
    "  goleak                      58 of 67 in 100 runs, 47 of them in the first [1]\n"
    "  GoAT                        66 of 67 in 100 runs: at most 14, mean 2.0 [2]\n"
    "  GoPie                       66 of 68 in minutes [3]\n"
    "  Go 1.26's leak profile      35 of its first 55 kernels marked as flaky [4]\n"
    "and on the others\n"
    "  Go's race detector          32 of 35 [1]\n"
    "[1] Yuan et al., GoBench, CGO 2021. [2] Taheri and Gopalakrishnan, GoAT, IISWC 2021.\n"
    "[3] Jiang et al., Effective Concurrency Testing for Go via Directional Primitive-constrained Interleaving\n"
    "Exploration, ASE 2023. [4] Go's tree, runtime/testdata/testgoroutineleakprofile.\n";

// The limit of SCTBench's study.
constexpr std::size_t sct_schedules = 10'000;

void print_head() {
  fmt::print("{:<20} {:<14} {:<9} {:>6} {:>9} {:>8} {:>8} {:>7} {:>9}\n", "kernel", "class", "verdict", "found",
             "switches", "replays", "twin", "alarms", "a second");
}

void print_row(const outcome& o, const settings& s) {
  const auto& r = o.broken;
  fmt::print("{:<20} {:<14} {:<9} {:>6} {:>9} {:>8} {:>8} {:>7} {:>9.0f}\n", o.of->name, to_string(o.of->what),
             weft::sim::to_string(r.what), o.found ? fmt::format("{}", r.schedules) : "-",
             o.found ? fmt::format("{}", r.switches) : "-",
             o.found ? fmt::format("{}/{}", o.same_replays, s.replays) : "-", o.twin.schedules, o.twin ? 0 : 1,
             o.schedules_a_second);
  if (!o.twin) fmt::print("  alarm: {}\n", o.twin.message);
  std::fflush(stdout);
}

void print_sum(const char* title, const std::vector<outcome>& all, const std::vector<kernel>& unobserved) {
  std::vector<std::size_t> after;
  std::size_t alarms = 0, most_switches = 0, twins = 0, replayed = 0;
  double seconds = 0;
  for (const outcome& o : all) {
    if (o.found) after.push_back(o.broken.schedules);
    if (!o.twin) ++alarms;
    most_switches = std::max(most_switches, o.found ? o.broken.switches : 0);
    twins += o.twin.schedules;
    seconds += static_cast<double>(o.twin.schedules) / o.schedules_a_second;
    replayed += static_cast<std::size_t>(o.same_replays);
  }
  std::sort(after.begin(), after.end());
  fmt::print("{}: {} of {} found", title, after.size(), all.size());
  if (!after.empty())
    fmt::print(", after {} schedules in the median, mean {:.1f}, at most {}", after[(after.size() - 1) / 2],
               static_cast<double>(std::accumulate(after.begin(), after.end(), std::size_t{0})) /
                   static_cast<double>(after.size()),
               after.back());
  fmt::print("; at most {} forced switches; {} equal replays; {} alarms in {} schedules of the twins, {:.0f} a second",
             most_switches, replayed, alarms, twins, static_cast<double>(twins) / seconds);
  if (!unobserved.empty()) fmt::print("; {} found with the detection off", unobserved.size());
  fmt::print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  std::string only;
  bool story = false;
  CLI::App app("What weft::sim finds in programs with a known bug.");
  app.add_option("--seed", s.seed, "the seed; 4 if not given");
  app.add_option("--schedules", s.schedules, "how many at most for each program; 100 if not said");
  app.add_option("--twin", s.twin_schedules, "schedules of each repaired program; 10000");
  app.add_option("--replays", s.replays, "of each failure; 100");
  app.add_option("--only", only, "programs whose name contains this");
  app.add_flag("--story", story, "print the story of each failure");
  std::map<std::string, weft::sim::strategy> strategies{{"random", weft::sim::strategy::random},
                                                        {"pct", weft::sim::strategy::pct},
                                                        {"pos", weft::sim::strategy::pos},
                                                        {"bounded", weft::sim::strategy::bounded}};
  app.add_option("--how", s.how, "random, pct, pos or bounded")->transform(CLI::CheckedTransformer(strategies));
  CLI11_PARSE(app, argc, argv);

  const std::vector<kernel> go = corpus::goker();
  const auto small = corpus::sctbench();
  std::vector<outcome> blocking, others, sct;
  std::vector<kernel> not_hidden;
  print_head();
  const auto run = [&](const kernel& k, std::vector<outcome>& into) {
    if (std::string(k.name).find(only) == std::string::npos) return;
    into.push_back(measure(k, s));
    print_row(into.back(), s);
    if (story && into.back().found) fmt::print("{}\n", into.back().broken.story);
  };
  for (const kernel& k : go) {
    const std::size_t before = blocking.size();
    run(k, is_blocking(k.what) ? blocking : others);
    if (blocking.size() > before && !passes_unobserved(k, s)) not_hidden.push_back(k);
  }
  s.schedules = std::max(s.schedules, sct_schedules);
  for (const kernel& k : small) run(k, sct);

  fmt::print("\n");
  print_sum("GoKer, blocking", blocking, not_hidden);
  if (not_hidden.empty()) fmt::print("  with the detection off: 0 found\n");
  print_sum("GoKer, the others", others, {});
  print_sum("SCTBench, small", sct, {});
  fmt::print("\n{}", published);
  return 0;
}
