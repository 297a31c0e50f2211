// A run in one line of JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lessons/support/quoted.h"
#include "lessons/support/report.h"

namespace lesson {
namespace {

std::string of(const stream& s) {
  return fmt::format(R"({{"name":{},"fibers":{},"ps":[{}],"ms":[{}],"turns":{},"running_us":{:.3f}}})", quoted(s.name),
                     s.fibers.size(), fmt::join(s.ps, ","), fmt::join(s.ms, ","), s.turns,
                     static_cast<double>(s.running.count()) / 1e3);
}

}  // namespace

std::string as_json(const program& what, const part& p, const settings& s, const record& r) {
  const figures f = count(r);
  std::string streams, prints, output;
  for (const stream& x : f.streams) streams += (streams.empty() ? "" : ",") + of(x);
  for (const printed& x : r.prints) {
    prints += fmt::format("{}[{},{}]", prints.empty() ? "" : ",", quoted(x.name), quoted(x.text));
  }
  return fmt::format(
      R"({{"program":{},"part":{},"maxprocs":{},"yield_every":{},"work":{},"wall_us":{:.3f},"cpu_us":{:.3f},"cpus_busy":{:.3f},)"
      R"("switches":{},"at_once":{},"at_once_share":{:.4f},"output_changes":{},"streams":[{}],"prints":[{}]}})"
      "\n",
      quoted(what.name), quoted(p.title), s.maxprocs, s.yield_every, s.work, static_cast<double>(f.wall.count()) / 1e3,
      static_cast<double>(f.cpu.count()) / 1e3, f.cpus_busy(), f.switches, f.at_once, f.at_once_share, f.output_changes,
      streams, prints);
}

}  // namespace lesson
