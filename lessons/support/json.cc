// A run in one line of JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lessons/support/quoted.h"
#include "lessons/support/report.h"

namespace lesson {
namespace {

double us(std::chrono::nanoseconds t) { return static_cast<double>(t.count()) / 1e3; }

std::string of(const stream& s) {
  return fmt::format(
      R"({{"name":{},"fibers":{},"ps":[{}],"ms":[{}],"turns":{},"stretches":{},"running_us":{:.3f},"longest_us":{:.3f},)"
      R"("last_us":{:.3f}}})",
      quoted(s.name), s.fibers.size(), fmt::join(s.ps, ","), fmt::join(s.ms, ","), s.turns, s.stretches, us(s.running),
      us(s.longest), us(s.last));
}

}  // namespace

std::string as_json(std::string_view lesson, const titled_run& run) {
  const record& r = run.what;
  const figures f = count(r);
  std::string streams, prints;
  for (const stream& x : f.streams) streams += (streams.empty() ? "" : ",") + of(x);
  for (const printed& x : r.prints)
    prints += fmt::format("{}[{},{}]", prints.empty() ? "" : ",", quoted(x.name), quoted(x.text));
  return fmt::format(
      R"({{"lesson":{},"program":{},"title":{},"maxprocs":{},"cpus":{},"wall_us":{:.3f},"cpu_us":{:.3f},)"
      R"("could_use_us":{:.3f},"cpus_busy":{:.3f},"switches":{},"at_once":{},"at_once_share":{:.4f},)"
      R"("without_p_us":{:.3f},"shared_us":{:.3f},"output_changes":{},"preempted":{},"verdict":{},"streams":[{}],"prints":[{}]}})"
      "\n",
      quoted(lesson), quoted(run.name), quoted(run.title), f.maxprocs, f.cpus, us(f.wall), us(f.cpu), us(f.could_use),
      f.cpus_busy(), f.switches, f.at_once, f.at_once_share, us(f.without_p), us(f.shared), f.output_changes,
      f.preempted, quoted(run.conclusion()), streams, prints);
}

}  // namespace lesson
