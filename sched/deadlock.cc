// The verdict: every fiber is parked and nothing is left that could wake one.
//
// It is spoken only when it is certain. Another thread of the process might wake a fiber, so while
// there is one that is not ours the verdict is withheld.
#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/sanitizer.h"
#include "sched/dump.h"
#include "sched/threads.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

int threads_of_process() noexcept {
  DIR* tasks = opendir("/proc/self/task");
  if (!tasks) return -1;
  int n = 0;
  while (const dirent* e = readdir(tasks))
    if (e->d_name[0] != '.') ++n;
  closedir(tasks);
  return n;
}

}  // namespace

bool all_asleep_locked(world& w) noexcept {
  if (w.idle_ms + w.locked_ms != w.ms || w.blocked_ms != 0) return false;
  if (!w.global.empty() || w.spinning.load(std::memory_order_relaxed) != 0) return false;
  if (w.stopping.load(std::memory_order_relaxed)) return false;
  if (w.net && w.net->has_waiters()) return false;
  const int procs = w.procs.load(std::memory_order_relaxed);
  for (int i = 0; i < procs; ++i)
    if (w.p_at(i)->timers.earliest() != never || !w.p_at(i)->queue.empty_approx()) return false;
  // TSan starts a thread of its own together with the first other one.
  const int ours = w.ms + helper_threads();
  const int sanitizer_threads = under_tsan && (ours > 1 || w.next_m_id > 1) ? 1 : 0;
  return threads_of_process() == ours + sanitizer_threads;
}

void deadlock_verdict(world& w) {
  std::fflush(stdout);
  if (w.main_gone.load(std::memory_order_relaxed) && fibers_alive(w) == 0) {
    std::fputs("fatal error: no fibers (main called weft::goexit) - deadlock!\n", stderr);
  } else {
    std::fputs("fatal error: all fibers are asleep - deadlock!\n\n", stderr);
    dump_world(w, stderr);
  }
  std::fflush(stderr);
  _exit(2);
}

void verdict_if_all_asleep(world& w) {
  bool verdict = false;
  {
    const std::lock_guard hold(w.lock);
    verdict = all_asleep_locked(w);
  }
  if (verdict) deadlock_verdict(w);
}

}  // namespace weft::detail
