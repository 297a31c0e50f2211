// The world: all Ps and Ms of one run(), and what they share.
#pragma once
#include <signal.h>
#include <weft/go.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/cache_line.h"
#include "runtime/cpu_count.h"
#include "runtime/debug_settings.h"
#include "sched/ancestry.h"
#include "sched/m.h"
#include "sched/p.h"
#include "sched/poller.h"
#include "sched/stack_marks.h"

namespace weft::detail {

struct timeline_without_p;

inline constexpr std::uint64_t main_fiber_id = 1;

struct world {
  // Differs from that of every other world of the process.
  static inline std::atomic<std::uint64_t> made{0};
  const std::uint64_t serial = made.fetch_add(1, std::memory_order_relaxed) + 1;
  // Set before the first fiber runs.
  options opt;
  sigset_t signal_mask{};  // of the thread of run(): the other Ms have it too
  debug_settings debug;
  stack_arena* stacks = nullptr;  // of its fibers without a stack size of their own
  bool membarrier = false;  // it works: solo.cc, retake.cc
  std::unique_ptr<stack_marks> marks;     // with debug.stacks
  std::unique_ptr<ancestry> ancestors;    // with debug.ancestors
  bool records_fiber_ends = false;                // one of them needs to know which fibers end
  // Made for the first wait for a descriptor; stays. Any thread.
  std::atomic<poller*> net{nullptr};

  // ---- read at every push -------------------------------------------------------------
  // Ms that search for work. Any thread, atomically.
  alignas(line_pair) std::atomic<int> spinning{0};
  // Ps in the idle list. Written under `lock`.
  std::atomic<int> idle_ps{0};
  // An idle M wakes at intervals to check for a `next` slot that is not being emptied. idle.cc.
  std::atomic<bool> next_watched{false};
  // Idle Ms (0 or 1) that check within a millisecond while timers crowd. Written under `lock`.
  std::atomic<int> timer_backups{0};
  // Size of `global`. Written under `lock`.
  std::atomic<std::size_t> global_size{0};
  std::atomic<bool> stopping{false};
  // Seconds of the clock, set at irregular times. coarse_clock.h.
  std::atomic<std::uint32_t> coarse_s{0};
  // When the monitor looks next: timers due later may be left to it. 0: as soon as a P is held;
  // `never`: no monitor runs.
  std::atomic<std::int64_t> monitor_looks_at{never};
  // When an M last woke for timers, and how long a turn lasted in such batches. idle.cc.
  std::atomic<std::int64_t> last_timer_wake{0}, turn_cost_ns{1'000'000};

  // ---- under `lock` ---------------------------------------------------------------------
  alignas(line_pair) spin_lock lock;
  ready_list global;              // the global run queue
  P* idle_p_list = nullptr;       // last idle first
  M* idle_m_list = nullptr;       // last idle first; without the timer waiter and io_m
  int idle_ms = 0;                // the timer waiter included
  int least_idle_ms = 0;          // the least since the monitor's last check: retire_ms.cc
  M* timer_waiter = nullptr;          // the M that sleeps with a deadline, for timers
  M* io_m = nullptr;              // the M that sleeps in the poller; perhaps the timer waiter too
  std::int64_t timer_waiter_until = never;
  int ms = 0;                     // Ms alive, idle or not
  // options::max_threads, and one more for the thread of run() once it only waits.
  int most_ms = options().max_threads;
  int blocked_ms = 0;             // of those: in a blocking() call
  int locked_ms = 0;              // of those: waiting for the fiber they are locked to
  int next_m_id = 0;
  std::int64_t thread_ended_at = 0;  // when one of our threads last ended, or a world before this one
  std::int64_t withheld_since = 0;   // since when only foreign threads keep a deadlock verdict back; 0: they do not
  bool withheld_said = false;        // and a line has said so
  std::vector<M*> all_ms;

  // Held while the monitor checks which M holds which P, and by an M that checks whether it still
  // holds its P.
  std::mutex retaking;
  std::vector<M*> without_p;      // under `retaking`: Ms whose P was retaken, and that have not found out
  std::shared_ptr<timeline_without_p> timeline_without;  // under `retaking`; null: nothing was recorded yet

  cpu_limit limit;

  // Ps stay once they are made; the first `procs` are in use. Written under `resize`. The others
  // were made before maxprocs shrank: one whose fiber computes is held, and filled, until its next
  // call.
  std::array<std::atomic<P*>, max_procs> ps{};
  std::atomic<int> procs{0}, ps_made{0};
  std::mutex resize;
  bool recording = false;         // under `resize`: timeline.cc

  // There has been a second P: no M skips locks any more. solo.cc.
  std::atomic<bool> ever_shared{false};

  // Any thread, atomically.
  std::atomic<std::uint64_t> next_fiber_id{1};
  std::atomic<std::uint64_t> spawned_outside{0};  // by callers without a P
  std::atomic<std::uint64_t> finished_outside{0};  // without a P
  std::atomic<std::uint64_t> wakeups{0}, handoffs{0};
  std::atomic<bool> main_gone{false};             // the main fiber called goexit
  std::atomic<std::uint32_t> ended_ms{0};         // futex: run() waits for Ms to end

  // How many Ps may hold something: a search for work or timers covers all of these.
  int ps_to_look_at() const noexcept { return ps_made.load(std::memory_order_acquire); }  // [procs]
  poller* poller_or_null() const noexcept { return net.load(std::memory_order_acquire); }  // [poller]
  P* p_at(int i) const noexcept { return ps[static_cast<std::size_t>(i)].load(std::memory_order_acquire); }  // [procs]
};

}  // namespace weft::detail
