// M: an OS thread that runs fibers. It must hold a P for that.
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>

#include "runtime/switch.h"
#include "sched/cpu_limit.h"
#include "sched/ready_list.h"

namespace weft::detail {

struct G;
struct P;
struct world;
enum class claim_on_p : std::uint8_t;  // retake.h

struct M : m_face {
  // Set once.
  int id = 0;
  long tid = 0;
  world* w = nullptr;
  exception_state* exceptions = nullptr;  // the thread's

  // This thread only.
  P* p = nullptr;             // written by the thread that wakes it, before the wake
  stack_context own_stack;    // where it runs the scheduler
  runnable* handed = nullptr; // found by a fiber's fast path, but needs this stack to be run
  bool spinning = false;      // counted in world::spinning
  bool ends = false;          // its locked fiber has ended, or it is not needed: the thread must end
  G* locked_g = nullptr;      // runs this fiber and no other
  std::int64_t batch_began = 0;      // when it woke for a batch of timers; 0: it did not
  std::uint32_t batch_first_turn = 0;
  bool left_timer = false;    // has armed one that comes first and woken no M for it: it is about to idle
  bool quiet = false;         // that batch is too short to wake another M
  void* signal_stack = nullptr;  // ours, if the thread had none: signal_stack.cc

  // The monitor's claim on its P. Written by the monitor, and by this M with world::retaking held.
  // retake.cc.
  std::atomic<claim_on_p> claim{};

  // Set by the monitor: `overdue_mark` and the turn of its P in which it is hardly ever outside the
  // runtime, though other fibers wait. It releases the P itself then. retake.cc.
  std::atomic<std::uint64_t> overdue{0};

  // Under world::retaking, while the monitor has retaken its P and it has not found out.
  // cpu_limit.cc, timeline.cc.
  struct without_p_state {
    std::int64_t since = 0;        // the clock, when the P was retaken or a recording began
    std::int64_t cpu_then = 0;     // the thread's CPU time then
    bool asleep = false;           // it slept in the kernel then
    std::int64_t cpu_seen = 0;     // its CPU time at the last look that found it computing
    std::int64_t computed_at = 0;  // the clock at that look
  } without_p;
  cpu_binding cpus;

  // Under the world's lock.
  M* next_idle = nullptr;
  bool is_idle = false;
  bool is_timer_backup = false;
  bool was_in_poller = false;  // it was in the poller when another thread took it off the idle list
  bool waits_for_locked_g = false;

  // By its own thread. The thread of run(), which runs no fiber but the main one: run.cc.
  bool is_first = false;
  bool keeps_main = false;  // is_first: the main fiber is locked to it, or waits in it for a P
  std::uint32_t blocked_in = 0;  // the fork_generation() in which its fiber called blocking()
  M* blocked_around = nullptr;   // the M of that thread's blocking() around the world of this one

  // The message to an M that waits for its locked fiber: written before its note, read after it.
  G* sent_g = nullptr;
  P* sent_p = nullptr;

  // What it sleeps on: 0 asleep or awake, 1 woken.
  std::atomic<std::uint32_t> note{0};
};

}  // namespace weft::detail
