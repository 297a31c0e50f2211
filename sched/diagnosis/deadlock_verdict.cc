#include "sched/diagnosis/deadlock_verdict.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "sched/diagnosis/dump.h"
#include "sched/diagnosis/fatal_exit.h"
#include "sched/diagnosis/panic.h"
#include "sched/stats.h"
#include "sched/world.h"

namespace weft::detail {

void deadlock_verdict(world& w) {
  static std::atomic<bool> printed{false};  // a plain thread that parks and an M may find out both
  if (printed.exchange(true, std::memory_order_relaxed))
    for (;;) pause();
  let_a_panic_finish_or_end();
  std::fflush(stdout);
  if (w.main_gone.load(std::memory_order_relaxed) && fibers_alive(w) == 0) {
    std::fputs("fatal error: no fibers (main called weft::goexit) - deadlock!\n", stderr);
  } else {
    std::fputs("fatal error: all fibers are asleep - deadlock!\n", stderr);
    if (traceback_level() != traceback::none) {
      std::fputs("\n", stderr);
      dump_world(w, stderr);
    }
  }
  std::fflush(stderr);
  exit_by_error();
}

}  // namespace weft::detail
