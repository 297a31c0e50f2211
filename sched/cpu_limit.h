// At most as many fibers compute at one instant as there are Ps: where the monitor has retaken Ps
// from fibers that compute, the threads that compute share that many CPUs. cpu_limit.cc.
#pragma once
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cstdint>

#include "sched/cpu_mask.h"

namespace weft::detail {

struct world;
struct M;

// Of a world.
struct cpu_limit {
  // The limit that Ms must follow; 0: none, each M has its own affinity. Written under `lock` and
  // world::retaking.
  std::atomic<std::uint32_t> epoch{0};
  spin_lock lock;  // a leaf
  cpu_mask cpus;   // under `lock`

  // Under world::retaking.
  std::uint32_t last_epoch = 0;
  int procs = 0;                    // for which `cpus` was chosen
  std::int64_t unneeded_since = 0;  // the clock; 0: it is needed
  std::size_t next_to_look_at = 0;  // in world::without_p
  std::int64_t check_at = 0;        // the clock, when the threads' affinity is read next
  std::uint64_t threads_seen = 0;   // links of /proc/self/task

  std::atomic<bool> refused{false};  // by the kernel
};

// Of an M.
struct cpu_binding {
  static constexpr std::uint32_t left = UINT32_MAX;  // follows none, whatever the monitor begins
  std::atomic<std::uint32_t> epoch{0};  // the limit that its thread follows; 0: none; or `left`
  spin_lock lock;
  cpu_mask own, given;  // under `lock`, while it follows one: the affinity before, and the one since
};

// m's thread follows the world's limit from here on, or has its own affinity again. By that thread,
// or the monitor with world::retaking held.
void follow_cpu_limit(M& m) noexcept;
// If m's thread follows a limit, it has its own affinity until it calls follow_cpu_limit(): when it
// gets a P, at the latest. By that thread.
void leave_cpu_limit(M& m) noexcept;
// The affinity that the application gave to m's thread. Empty if it cannot be read.
void affinity_without_limit(M& m, cpu_mask& into) noexcept;
// Begins, changes or ends the limit. By the monitor, with world::retaking held.
// `rests`: the monitor means to look no more until an M gets a P. Returns true if it must look on:
// a fiber that computes under the limit may change its affinity, or make a thread.
bool update_cpu_limit(world& w, std::int64_t now, bool rests);
// Ends it for all Ms: the world ends, and has no monitor.
void end_cpu_limit(world& w);

// The calling thread has its own affinity until the end of the scope, for the threads that it
// makes.
class own_affinity {
 public:
  own_affinity() noexcept;
  own_affinity(const own_affinity&) = delete;
  own_affinity& operator=(const own_affinity&) = delete;
  ~own_affinity();

 private:
  M* m_;
};

}  // namespace weft::detail
