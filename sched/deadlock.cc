// The verdict: every fiber is parked and nothing is left that could wake one.
//
// It is spoken only when it is certain. Another thread of the process might wake a fiber, so while
// there is one that is not ours the verdict is withheld. A thread of ours that has just ended is still
// listed for a moment, so for a while after such an end the answer is "perhaps": look again.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "sched/dump.h"
#include "sched/last_words.h"
#include "sched/panic.h"
#include "sched/threads.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// How long the system may take to forget a thread that has ended.
constexpr std::int64_t dying_ns = 2'000'000'000;

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

asleep all_asleep_locked(world& w) noexcept {
  if (w.idle_ms + w.locked_ms != w.ms || w.blocked_ms != 0) return asleep::no;
  if (!w.global.empty() || w.spinning.load(std::memory_order_relaxed) != 0) return asleep::no;
  if (w.stopping.load(std::memory_order_relaxed)) return asleep::no;
  if (const poller* net = w.poller_or_null(); net && net->has_waiters()) return asleep::no;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w.p_at(i)->timers.earliest() != never || !w.p_at(i)->queue.empty_approx()) return asleep::no;
  if (w.io_m) {  // it may hold the last that has come, and not have passed it on yet: let it come out and judge
    w.poller_or_null()->wake();
    return asleep::no;
  }
  if (threads_of_process() == w.ms + helper_threads()) return asleep::yes;
  return now_ns() - std::max(w.thread_ended_at, quiet_helper_expected_since()) < dying_ns ? asleep::perhaps
                                                                                          : asleep::no;
}

void deadlock_verdict(world& w) {
  let_a_panic_finish_or_end();
  std::fflush(stdout);
  if (w.main_gone.load(std::memory_order_relaxed) && fibers_alive(w) == 0) {
    std::fputs("fatal error: no fibers (main called weft::goexit) - deadlock!\n", stderr);
  } else {
    std::fputs("fatal error: all fibers are asleep - deadlock!\n", stderr);
    if (told() != traceback::none) {
      std::fputs("\n", stderr);
      dump_world(w, stderr);
    }
  }
  std::fflush(stderr);
  end_by_error();
}

asleep verdict_if_all_asleep(world& w) {
  asleep a = asleep::no;
  {
    const std::lock_guard hold(w.lock);
    a = all_asleep_locked(w);
  }
  if (a == asleep::yes) deadlock_verdict(w);
  return a;
}

}  // namespace weft::detail
