#include "sched/diagnosis/fatal_exit.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "sched/current.h"
#include "sched/diagnosis/dump.h"
#include "sched/world.h"

namespace weft::detail {

traceback traceback_level() noexcept {
  const world* w = the_world();
  return w ? w->debug.traceback_level : traceback::single;
}

std::vector<ancestor> ancestors_of(std::uint64_t id) {
  const world* w = the_world();
  return w && w->ancestors ? w->ancestors->of(id) : std::vector<ancestor>();
}

std::string describe_other_fibers(std::uint64_t but) {
  world* w = the_world();
  if (!w || traceback_level() < traceback::all) return "";
  auto fibers = list_fibers(*w);
  std::erase_if(fibers, [but](const fiber_view& f) { return f.id == but; });
  return describe_fibers(fibers);
}

void exit_by_error() noexcept {
  if (traceback_level() != traceback::crash) _exit(2);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

}  // namespace weft::detail
