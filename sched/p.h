// P: the right to run fibers, with all the state that running them needs and that Ps do not share.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/cache_line.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sched/g_cache.h"
#include "sched/record_pool.h"
#include "sched/run_queue.h"
#include "sched/timers.h"

namespace weft::detail {

struct timeline_buffer;

// Reasons for a P to take the slow path through its scheduler at the next switch.
enum attention_bit : std::uint32_t {
  stop_world = 1,     // the main fiber has returned
  retire_p = 2,       // maxprocs has shrunk
  watch_switches = 4, // a timeline is being recorded
  shuffle_queue = 8      // chaos mode
};

struct alignas(line_pair) P {
  explicit P(int index) noexcept : id(index) {}

  // Set once.
  const int id;

  // Owner only: the M that holds this P.
  std::uint32_t inherited = 0;         // Gs taken in a row from the next slot, in one time slice
  std::uint64_t slice_began = 0;       // ticks, once `inherited` says so
  std::uint64_t clock_read_at = 0;     // ticks, when timers were last looked at
  std::uint32_t polled_at = 0;         // the turn of the last poll
  std::size_t ahead_then = 0;          // how many were queued after it
  std::uint64_t next_id = 0;           // fiber ids are given out in batches
  std::uint64_t ids_end = 0;
  g_cache gs;
  record_pool records;
  random_source random;

  // Written by the owner, read by any thread: counters, exact when the P is quiet.
  std::atomic<std::uint32_t> turn{0};  // one per fiber that leaves, and one per M that gets the P
  std::atomic<std::uint64_t> spawned{0}, finished{0}, adopted{0}, steals{0}, stolen{0};
  std::atomic<std::uint64_t> switches{0};

  // The M that holds it; null while it idles or moves from one M to another. Written by that M, or
  // by the monitor when it retakes the P.
  std::atomic<M*> holder{nullptr};

  // Any thread, atomically.
  std::atomic<std::uint32_t> attention{0};
  std::atomic<bool> idle{false};       // written under the world's lock
  std::atomic<timeline_buffer*> timeline{nullptr};  // null: not recorded. timeline.cc

  // Under world::resize.
  std::shared_ptr<timeline_buffer> timeline_kept;

  // Under the world's lock.
  P* next_idle = nullptr;
  bool retired = false;

  // The owner pushes and pops, any M steals.
  run_queue queue;
  // Any thread, under its own lock.
  timer_heap timers;

  // The owner counts with a load and a store; no other thread writes.
  static void count(std::atomic<std::uint64_t>& c, std::uint64_t n = 1) noexcept {
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

}  // namespace weft::detail
