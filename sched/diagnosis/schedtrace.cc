#include "sched/diagnosis/schedtrace.h"

#include <fmt/format.h>

#include <mutex>

#include "sched/world.h"

namespace weft::detail {

std::string schedtrace_line(world& w, std::int64_t since_ns) {
  std::string queues, turns;
  const int procs = w.procs.load(std::memory_order_relaxed);
  for (int i = 0; i < procs; ++i) {
    const P* p = w.p_at(i);
    const auto waiting = p->queue.ring_size_approx() + (p->queue.peek_next() ? 1 : 0);
    queues += fmt::format("{}{}", i ? " " : "", waiting);
    turns += fmt::format("{}{}", i ? " " : "", p->turn.load(std::memory_order_relaxed));
  }
  const std::lock_guard hold(w.lock);
  return fmt::format(
      "SCHED {}ms: maxprocs={} idleprocs={} threads={} spinningthreads={} idlethreads={} blockedthreads={} "
      "runqueue={} [{}] schedticks=[{}]\n",
      since_ns / 1'000'000, procs, w.idle_ps.load(std::memory_order_relaxed), w.ms,
      w.spinning.load(std::memory_order_relaxed), w.idle_ms, w.blocked_ms, w.global.size(), queues, turns);
}

}  // namespace weft::detail
