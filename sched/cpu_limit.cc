// A fiber that computes beyond its time slice loses its P and keeps its thread (retake.cc). With
// fewer Ps than CPUs, more fibers would compute at one instant than there are Ps. So while fibers
// compute without a P, the threads of all fibers that compute, with a P or without, may run on as
// many CPUs as there are Ps, and the kernel's scheduler lets them take turns. No thread is stopped:
// a fiber that holds the lock of malloc, a std::mutex or a stream's lock keeps its share of a CPU
// and comes to the end of its section.
//
// The monitor begins the limit when it retakes a P, before it hands that P to another M. It binds
// the Ms that hold a P and the Ms that have lost one. Every other M compares two numbers when it
// gets a P, and binds itself then (acquire_p()). A blocking() call runs with the thread's own
// affinity, as a thread without a P in Go does.
//
// A fiber that lost its P because it sleeps in a system call without blocking() computes later,
// when the call returns. Its thread is bound while it sleeps. After 100 ms without any CPU time it
// counts no more, or a fiber that reads the terminal would bind all others without end. The monitor
// reads its CPU clock and begins the limit again when the clock moves.
//
// The affinity that an application has given a thread is kept: the thread gets the part of it that
// is inside the limit, and exactly its former affinity when the limit ends. If no part is inside,
// it gets all of it, and the monitor chooses the CPUs again. The CPUs that most threads may use
// come first. Two fibers that the application has bound to two CPUs run on two CPUs. One case
// cannot be seen: the application binds a thread to exactly the CPUs that the limit has given it at
// that time. Then the thread gets its former affinity back. So a fiber that binds its thread does
// that before fibers compute.
//
// A forked child gets the affinity without the limit, and so does a thread that a fiber makes. A
// program that a fiber starts by posix_spawn() or system(), outside of blocking(), keeps the
// limit's: these run no handler of fork().
//
// Refused: stopping the thread with a signal whose handler waits for a P, which gives exact time
// slices as Go's preemption does. Measured with a thread that computes 20 us and sleeps 20 us in
// turn, signalled only while /proc says that it runs: 1 to 23 in 100 signals, SA_RESTART set, ended
// a nanosleep() with EINTR, since the thread had entered it before the signal arrived. With a
// thread stopped for 10 ms in 20 that holds a std::mutex half the time, 1 in 100 waiters for it
// waited 10 ms, against 0.04 ms where both threads share a CPU. And the monitor could wait for
// malloc's lock of a thread that only the monitor can resume. To set the affinity of a thread costs
// 2 to 3 us.
#include "sched/cpu_limit.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "runtime/fatal.h"
#include "runtime/membarrier.h"
#include "sched/current.h"
#include "sched/new_threads.h"
#include "sched/thread_state.h"
#include "sched/world.h"

// Note [cpu-limit]: an M that gets a P follows the limit
//      M                                  monitor, with world::retaking held
//   G1 p->holder = m                   L1 limit.epoch = a new one
//   G2 compiler barrier (or fence)     L2 membarrier (or fence)
//   L4 is its epoch the limit's?       L3 binds the holder of each P
//      else it binds itself
// As in [monitor], either L3 sees G1 or L4 sees L1.

namespace weft::detail {

void affinity_without_limit(M& m, cpu_mask& into) noexcept {
  const std::lock_guard hold(m.cpus.lock);
  read_affinity(m.tid, into);
  const bool is_ours = m.cpus.epoch.load(std::memory_order_relaxed) != 0 && into == m.cpus.given;
  if (is_ours) into = m.cpus.own;
}

namespace {

constexpr std::int64_t ms = 1'000'000;
// How long the limit stays when nothing needs it: usually another fiber loses its P soon after.
constexpr std::int64_t linger = 20 * ms;
// How often the affinity of the threads that compute is read: the application may change it.
constexpr std::int64_t between_checks = 10 * ms;
// How long a thread without CPU time counts as one that may compute, and how old the last sign of
// it may be before its CPU clock is read again.
constexpr std::int64_t long_asleep = 100 * ms, read_again = long_asleep / 5;
// CPU time above this is computing. Below, it is the exit from a system call and the entry to the
// next.
constexpr std::int64_t computing = ms / 20;
// Threads without a P whose CPU clock is read at one look.
constexpr std::size_t looks_at = 32;

void refuse(world& w, int error) noexcept {
  static std::atomic<bool> said{false};
  w.limit.refused.store(true, std::memory_order_relaxed);
  if (said.exchange(true, std::memory_order_relaxed)) return;
  log_line(fmt::format("sched_setaffinity: {}: fibers that compute beyond a time slice run beside maxprocs others",
                       std::strerror(error)));
}

// All Ms whose fibers may compute now: f(M&).
template <class F>
void for_each_computing(world& w, F f) {
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (M* m = w.p_at(i)->holder.load(std::memory_order_acquire)) f(*m);  // [retake]
  for (M* m : w.without_p) f(*m);
}

// The CPUs of an M that gets its P later: the monitor's, which no limit binds.
cpu_mask cpus_of_other_threads() noexcept {
  cpu_mask all;
  read_affinity(0, all);
  return all;
}

// The CPUs that the threads of fibers may use.
cpu_mask all_cpus(world& w) noexcept {
  cpu_mask all = cpus_of_other_threads();
  for_each_computing(w, [&](M& m) {
    cpu_mask own;
    affinity_without_limit(m, own);
    all.add(own);
  });
  return all;
}

// Returns n of them: first the CPUs that most of the threads that compute may use, and of these the
// CPUs in use.
cpu_mask choose_cpus(world& w, int n) {
  constexpr int per_thread = 4, in_use = 2, of_others = 1;
  std::array<int, cpu_mask::max_cpus> rank{};
  const auto add = [&](const cpu_mask& cpus, int by) {
    for (std::size_t cpu = 0; cpu < rank.size(); ++cpu)
      if (cpus.has(static_cast<int>(cpu))) rank[cpu] += by;
  };
  for_each_computing(w, [&](M& m) {
    cpu_mask own;
    affinity_without_limit(m, own);
    add(own, per_thread);
  });
  for (const M* m : w.without_p)
    if (const int cpu = last_cpu(m->tid); cpu >= 0 && cpu < cpu_mask::max_cpus)
      if (int& r = rank[static_cast<std::size_t>(cpu)]; r > 0) r |= in_use;
  add(cpus_of_other_threads(), of_others);
  cpu_mask chosen;
  for (; n > 0; --n) {
    const auto best = std::max_element(rank.begin(), rank.end());
    if (*best == 0) break;
    *best = 0;
    chosen.add(static_cast<int>(best - rank.begin()));
  }
  return chosen;
}

// A thread that computes may use none of the limit's CPUs: the application has changed its
// affinity.
bool some_outside(world& w) noexcept {
  bool outside = false;
  for_each_computing(w, [&](M& m) {
    cpu_mask now;
    if (read_affinity(m.tid, now) == 0 && both(now, w.limit.cpus).count() == 0) outside = true;
  });
  return outside;
}

void set_limit(world& w, std::uint32_t epoch, const cpu_mask& cpus) noexcept {
  {
    const std::lock_guard hold(w.limit.lock);
    w.limit.cpus = cpus;
    w.limit.epoch.store(epoch, std::memory_order_seq_cst);  // [cpu-limit] L1
  }
  if (w.membarrier) fence_all_threads();  // L2
  else std::atomic_thread_fence(std::memory_order_seq_cst);  // [cpu-limit] L2
  for_each_computing(w, [](M& m) { follow_cpu_limit(m); });  // L3
}

void end_limit(world& w) {
  w.limit.threads_seen = 0;  // one thread may have begun while another ended
  free_new_threads(w, true);
  set_limit(w, 0, {});
}

// A child that a fiber forks inherits the limit's affinity, and has one thread.
void free_forked_child() noexcept {
  if (const M* m = this_m(); m && m->cpus.epoch.load(std::memory_order_relaxed) != 0) write_affinity(0, m->cpus.own);
}

void note_fork_handler() {
  static const bool frees_children = pthread_atfork(nullptr, nullptr, free_forked_child) == 0;
  static_cast<void>(frees_children);
}

// Begins the limit if there are more CPUs than Ps, or adapts it.
void check_limit(world& w, int procs, std::int64_t now) {
  cpu_limit& l = w.limit;
  const bool on = l.epoch.load(std::memory_order_relaxed) != 0;
  const bool changed = procs != l.procs;
  if (!changed && now < l.check_at) return;
  l.check_at = now + between_checks;
  l.procs = procs;
  if (on && !changed && !some_outside(w)) return;
  if (all_cpus(w).count() <= procs) {
    if (on) end_limit(w);
    return;
  }
  const cpu_mask chosen = choose_cpus(w, procs);
  if (on && chosen == l.cpus) return;
  note_fork_handler();
  if (!on) note_threads(l);
  set_limit(w, ++l.last_epoch, chosen);
}

// More than maxprocs if that has shrunk: a fiber that computes keeps a surplus P until it calls
// weft.
int ps_held(const world& w) noexcept {
  int held = 0;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w.p_at(i)->holder.load(std::memory_order_relaxed)) ++held;
  return held;
}

// A thread without a P has used CPU time lately.
bool some_compute(world& w, std::int64_t now) noexcept {
  auto& all = w.without_p;
  const std::size_t n = std::min(all.size(), looks_at);
  for (std::size_t i = 0; i < n; ++i) {
    M* m = all[w.limit.next_to_look_at++ % all.size()];
    auto& seen = m->without_p;
    if (now - seen.computed_at < read_again) continue;
    const std::int64_t cpu = thread_cpu_ns(m->tid);
    if (cpu - seen.cpu_seen < computing) continue;
    seen.cpu_seen = cpu;
    seen.computed_at = now;
  }
  return std::any_of(all.begin(), all.end(),
                     [now](const M* m) { return now - m->without_p.computed_at < long_asleep; });
}

}  // namespace

void follow_cpu_limit(M& m) noexcept {
  world& w = *m.w;
  cpu_binding& b = m.cpus;
  const std::lock_guard hold(b.lock);
  cpu_mask limit;
  std::uint32_t epoch = 0;
  {
    const std::lock_guard hold_limit(w.limit.lock);
    limit = w.limit.cpus;
    epoch = w.limit.epoch.load(std::memory_order_relaxed);
  }
  const std::uint32_t before = b.epoch.load(std::memory_order_relaxed);
  if (before == epoch) return;
  if (before == cpu_binding::left && this_m() != &m) return;
  cpu_mask now;
  if (read_affinity(m.tid, now) != 0) return;  // the thread ends
  const bool is_ours = before != 0 && now == b.given;
  if (!is_ours) b.own = now;  // the application's
  cpu_mask wanted = b.own;
  if (epoch != 0)
    if (const cpu_mask inside = both(b.own, limit); inside.count() > 0) wanted = inside;
  b.given = wanted;
  b.epoch.store(epoch, std::memory_order_release);  // [cpu-binding]
  if (wanted == now) return;
  const int e = write_affinity(m.tid, wanted);
  if (e == EPERM || e == ENOSYS) refuse(w, e);
}

// Note [cpu-binding]: an M's epoch is released after its thread id and before its affinity changes.
// So the monitor, which acquires it after it has read who has the limit's affinity, finds the
// threads of all Ms among these.

void leave_cpu_limit(M& m) noexcept {
  cpu_binding& b = m.cpus;
  const auto follows = [&b] {
    const std::uint32_t epoch = b.epoch.load(std::memory_order_relaxed);
    return epoch != 0 && epoch != cpu_binding::left;
  };
  if (!follows()) return;
  const std::lock_guard hold(b.lock);
  if (!follows()) return;
  cpu_mask now;
  if (read_affinity(m.tid, now) == 0 && now == b.given && b.given != b.own) write_affinity(m.tid, b.own);
  b.epoch.store(cpu_binding::left, std::memory_order_relaxed);
}

bool update_cpu_limit(world& w, std::int64_t now, bool rests) {
  cpu_limit& l = w.limit;
  const bool on = l.epoch.load(std::memory_order_relaxed) != 0;
  if (!w.debug.limit) return false;
  if (l.refused.load(std::memory_order_relaxed)) {
    if (on) end_limit(w);
    return false;
  }
  const int procs = w.procs.load(std::memory_order_relaxed);
  const bool too_many_for_a_rest = rests && static_cast<int>(w.without_p.size()) > procs;
  const bool compute = !w.without_p.empty() && some_compute(w, now);
  const bool needed = ps_held(w) > procs || too_many_for_a_rest || compute;
  if (needed) {
    l.unneeded_since = 0;
    check_limit(w, procs, now);
  } else {
    l.check_at = 0;
    if (l.unneeded_since == 0) l.unneeded_since = now;
    if (on && (rests || now - l.unneeded_since >= linger)) end_limit(w);
  }
  if (l.epoch.load(std::memory_order_relaxed) != 0) free_new_threads(w);
  return compute && l.epoch.load(std::memory_order_relaxed) != 0;
}

void end_cpu_limit(world& w) {
  const std::lock_guard hold(w.retaking);
  if (w.limit.last_epoch == 0) return;
  if (w.limit.epoch.load(std::memory_order_relaxed) != 0) end_limit(w);
  std::vector<M*> all;
  {
    const std::lock_guard hold_all(w.lock);
    all = w.all_ms;
  }
  for (M* m : all) follow_cpu_limit(*m);
}

own_affinity::own_affinity() noexcept : m_(this_m()) {
  if (m_ && m_->cpus.epoch.load(std::memory_order_relaxed) != 0) leave_cpu_limit(*m_);
  else m_ = nullptr;
}

own_affinity::~own_affinity() {
  if (m_) follow_cpu_limit(*m_);
}

}  // namespace weft::detail
