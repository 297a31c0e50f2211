// Whether every fiber is parked and nothing is left that could wake one.
// diagnosis/deadlock_verdict.cc prints it.
//
// It is printed only when it is certain. A thread of the process that is not weft's may wake a
// fiber at any time, so the verdict is withheld while such a thread exists, and one line says so.
// These threads do not wake a fiber, and do not count: a plain thread that is parked in weft
// without a deadline, weft's helper threads while they rest, and the kernel's own threads (io_uring
// workers), which are listed in /proc too. Every other thread is assumed to be able to wake one: a
// thread that never calls weft looks like one that will.
//
// A thread of weft's that has just ended stays listed for a while. Until that has passed the answer
// is "perhaps", and the caller looks again.
#include "sched/deadlock.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/fatal.h"
#include "sched/diagnosis_calls.h"
#include "sched/plain_thread.h"
#include "sched/thread_state.h"
#include "sched/threads.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// How long the system may take to remove a thread that has ended from its list.
constexpr std::int64_t dying_ns = 2'000'000'000;
// How long everything must have been asleep before the line about foreign threads is printed.
constexpr std::int64_t withheld_ns = 1'000'000'000;

constexpr int unknown = -1;

// With the world's lock held. Returns how many threads may wake a fiber without being weft's.
//
// The number of threads is that of one moment, and so must be what is taken off it. A thread that
// wakes a parked one and ends between two readings, or makes one and is parked, would leave a
// thread awake that no count has. So the parked threads are read before and after, and nothing may
// have changed. The list in /proc/self/task is no such moment: it may end at a thread that ends. It
// serves only to find how many of a known number are the kernel's.
int foreign_threads_locked(const world& w) noexcept {
  const parked_threads parked = parked_plain_threads();
  const int n = threads_of_process();
  if (n < 0) return unknown;
  int foreign = n - w.ms - helper_threads() - parked.number;
  if (foreign > 0) {
    int listed = 0, workers = 0;
    for_each_thread([&](long tid) {
      ++listed;
      if (is_kernel_worker(tid)) ++workers;
    });
    if (listed == n && threads_of_process() == n) foreign -= workers;
  }
  const bool one_moment = parked_plain_threads() == parked;
  return one_moment ? std::max(0, foreign) : std::max(1, foreign);
}

std::string describe_foreign(int n) {
  if (n == unknown) return "/proc cannot be read, so nothing is known of threads that are not weft's";
  return fmt::format("{} thread{} of this process {} not weft's and may wake a fiber", n, n == 1 ? "" : "s",
                     n == 1 ? "is" : "are");
}

// Everything is asleep, and foreign threads are why no verdict is printed. Says so once.
asleep withhold_locked(world& w, int foreign) noexcept {
  const std::int64_t now = now_ns();
  if (w.withheld_since == 0) w.withheld_since = now;
  if (now - std::max(w.thread_ended_at, quiet_helper_expected_since()) < dying_ns) return asleep::perhaps;
  if (w.withheld_said) return asleep::no;
  if (now - w.withheld_since < withheld_ns) return asleep::perhaps;
  w.withheld_said = true;
  log_line("all fibers are asleep, and no deadlock is reported: " + describe_foreign(foreign));
  return asleep::no;
}

}  // namespace

std::string describe_foreign_threads(world& w) {
  const std::lock_guard hold(w.lock);
  const int n = foreign_threads_locked(w);
  return n == 0 ? "" : describe_foreign(n);
}

namespace {

// With the world's lock held. Returns true if a fiber may run without another thread's help.
bool one_may_go_on_locked(world& w) noexcept {
  if (w.idle_ms + w.locked_ms != w.ms || w.blocked_ms != 0) return true;
  if (!w.global.empty() || w.spinning.load(std::memory_order_relaxed) != 0) return true;
  if (w.stopping.load(std::memory_order_relaxed)) return true;
  if (const poller* net = w.poller_or_null(); net && net->has_waiters()) return true;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w.p_at(i)->timers.earliest() != never || !w.p_at(i)->queue.empty_approx()) return true;
  return false;
}

}  // namespace

asleep all_asleep_locked(world& w) noexcept {
  const std::int64_t withheld_since = std::exchange(w.withheld_since, 0);
  if (one_may_go_on_locked(w)) return asleep::no;
  if (w.io_m) {  // it may hold the last completion and not have passed it on: it leaves the poller and checks itself
    w.poller_or_null()->wake();
    return asleep::no;
  }
  if (const int foreign = foreign_threads_locked(w); foreign != 0) {
    w.withheld_since = withheld_since;
    return withhold_locked(w, foreign);
  }
  return one_may_go_on_locked(w) ? asleep::no : asleep::yes;  // such a thread may have acted before it was counted
}

asleep verdict_if_all_asleep(world& w) {
  asleep a = asleep::no;
  {
    const std::lock_guard hold(w.lock);
    a = all_asleep_locked(w);
  }
  if (a == asleep::yes) diagnosis.deadlock(w);
  return a;
}

}  // namespace weft::detail
