// M: an OS thread that runs fibers. It must hold a P for that.
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>

#include "runtime/switch.h"
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
  P* p = nullptr;             // given by whoever wakes it, before the wake
  stack_context own_stack;    // where it runs the scheduler
  runnable* handed = nullptr; // found by a fiber's fast path, but needs this stack to be run
  const void* no_suspend_site = nullptr;  // where the region began that its fiber is in: no_suspend.cc
  bool spinning = false;      // counted in world::spinning
  bool ends = false;          // its locked fiber has ended, or it is not needed: the thread must end
  G* locked_g = nullptr;      // runs this fiber and no other
  std::int64_t batch_began = 0;      // when it woke for a batch of timers; 0: it did not
  std::uint32_t batch_first_turn = 0;
  bool left_timer = false;    // has armed one that comes first and told nobody: it is about to idle
  bool quiet = false;         // that batch is too short to rouse another M for
  void* signal_stack = nullptr;  // ours, if the thread had none: crash.cc

  // The monitor's word about its P. The monitor writes; this M too, with world::retaking held. retake.cc.
  std::atomic<claim_on_p> claim{};

  // Under the world's lock.
  M* next_idle = nullptr;
  bool is_idle = false;
  bool is_deputy = false;
  bool was_in_poller = false;  // it was idle there when somebody took it off the idle list
  bool waits_for_locked_g = false;

  // What an M that waits for its locked fiber is sent: written before its note, read after it.
  G* sent_g = nullptr;
  P* sent_p = nullptr;

  // What it sleeps on: 0 asleep or awake, 1 woken.
  std::atomic<std::uint32_t> note{0};
};

// The calling thread's M, or null on a plain thread. Never inlined.
M* this_m() noexcept;
void set_this_m(M* m) noexcept;

}  // namespace weft::detail
