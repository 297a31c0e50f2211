// The measure of parallelism is the kernel's: CPU time over wall time. More than 1.05 CPUs at work
// are parallel, whatever the recording shows. The recording says which fibers it was.
#include "lessons/support/verdict.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace lesson {
namespace {

using namespace std::chrono_literals;

constexpr double one_cpu = 1.05;  // CPUs at work, with what the other threads of the process use
constexpr auto too_short = 2ms;   // the threads' own start and end are a large part of such a run

std::size_t fibers_of(const figures& f) {
  std::size_t n = 0;
  for (const stream& s : f.streams) n += s.fibers.size();
  return n;
}

std::string at_work(const figures& f) { return fmt::format("{:.2f} CPUs were at work", f.cpus_busy()); }

std::string who(const figures& f) { return fibers_of(f) == 2 ? "both fibers" : "two or more fibers"; }

// "Two Ps on one CPU", "Two Ps on 8 CPUs", "Two Ps with a quota of 0.50 CPUs".
std::string where(const figures& f) {
  if (f.usable() < f.cpus) return fmt::format("{} with a quota of {:.2f} CPUs", shown_ps(f.maxprocs), f.quota);
  if (f.cpus == 1) return shown_ps(f.maxprocs) + " on one CPU";
  return fmt::format("{} on {} CPUs", shown_ps(f.maxprocs), f.cpus);
}

std::string busy(const figures& f) {
  return fmt::format("The machine was too busy to tell: the fibers got {} % of the CPU time that they could use. ",
                     percent(static_cast<double>(f.cpu.count()) / static_cast<double>(f.could_use.count())));
}

std::string order(const figures& f) {
  if (f.streams.size() == 2 && f.switches == 1)
    return fmt::format("{} ran from start to end, then {}", f.streams[0].name, f.streams[1].name);
  return fmt::format("the fibers took turns, {} of them", f.switches + 1);
}

std::string at_one_p(const figures& f) {
  if (f.cpus_busy() > one_cpu) {
    if (f.wall < too_short && f.at_once <= 1)
      return fmt::format("One P: {}. The run was too short to measure how many CPUs were at work.", order(f));
    return fmt::format("One P, but {}. This run was parallel: a fiber computed without a P.", at_work(f));
  }
  const bool on_one_cpu = f.cpus == 1 && f.without_p.count() > 0;
  if (f.shared.count() > 0 || on_one_cpu) {
    const std::string shared = fmt::format("One P: {} shared one CPU", who(f));
    return machine_is_busy(f) ? shared + "." : fmt::format("{}, and {}: concurrent, not parallel.", shared, at_work(f));
  }
  if (machine_is_busy(f)) return fmt::format("One P: {}. No two fibers held a P at the same instant.", order(f));
  return fmt::format("One P: {}. 0 % of the time two ran at the same instant, and {}: concurrent, not parallel.",
                     order(f), at_work(f));
}

std::string at_several_ps(const figures& f) {
  const std::string held = fmt::format("held a P for {} % of the time", percent(f.at_once_share));
  if (f.at_once <= 1)
    return fmt::format(
        "{}, and no two fibers ran at the same instant: each ended or waited before another P was awake. This happens "
        "more often on a busy machine. Run it again.",
        where(f));
  if (f.cpus_busy() > one_cpu)
    return fmt::format("{}: {} ran at the same instant for {} % of the time, and {}. That is parallelism.", where(f),
                       who(f), percent(f.at_once_share), at_work(f));
  if (f.usable() < 2)
    return fmt::format("{}: concurrent, not parallel. {} {}, but {}.", where(f),
                       fibers_of(f) == 2 ? "Both fibers" : "Two or more fibers", held, at_work(f));
  return fmt::format("{}: {} {}, but {}. {}", where(f), who(f), held, at_work(f),
                     machine_is_busy(f) ? "Run it again on a quieter machine." : "This run was hardly parallel.");
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

int percent(double share) { return static_cast<int>(std::lround(share * 100)); }

bool machine_is_busy(const figures& f) {
  return f.could_use.count() > 0 &&
         static_cast<double>(f.cpu.count()) < 0.75 * static_cast<double>(f.could_use.count());
}

std::string verdict(const figures& f) {
  const bool parallel = f.cpus_busy() > one_cpu;
  if (fibers_of(f) < 2 && !parallel) return "One fiber runs on one P at a time, however many Ps there are.";
  const std::string first = !parallel && machine_is_busy(f) ? busy(f) : "";
  return first + (f.maxprocs == 1 ? at_one_p(f) : at_several_ps(f));
}

std::string summary(const figures& f) {
  std::chrono::nanoseconds running{};
  for (const stream& s : f.streams) running += s.running;
  const std::size_t n = fibers_of(f);
  return fmt::format("Beside main {} ran, for {} together in {} of wall time. {:.2f} CPUs were at work.",
                     n == 0   ? "no fiber"
                     : n == 1 ? "1 fiber"
                              : fmt::format("{} fibers", n),
                     shown_time(running), shown_time(f.wall), f.cpus_busy());
}

}  // namespace lesson
