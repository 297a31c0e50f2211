#include "sched/last_words.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "sched/dump.h"
#include "sched/world.h"

namespace weft::detail {

traceback told() noexcept {
  const world* w = the_world();
  return w ? w->debug.told : traceback::single;
}

std::vector<ancestor> ancestors_of(std::uint64_t id) {
  const world* w = the_world();
  return w && w->ancestors ? w->ancestors->of(id) : std::vector<ancestor>();
}

std::string the_others(std::uint64_t but) {
  world* w = the_world();
  if (!w || told() < traceback::all) return "";
  auto fibers = list_fibers(*w);
  std::erase_if(fibers, [but](const fiber_view& f) { return f.id == but; });
  return describe_fibers(fibers);
}

void end_by_error() noexcept {
  if (told() != traceback::crash) _exit(2);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

}  // namespace weft::detail
