// The monitor: a thread without a P. While a P is held it checks, every 1 to 5 ms, whether each P
// moves from turn to turn (p_monitor.cc). While none is held, it rests until one is. When nothing
// is left to free either, it sleeps until it is woken: an idle process uses no CPU.
//
// Refused: a timer signal per thread, as it interrupts system calls.
//
// Note [monitor]: falling asleep
//      monitor                             M that gets a P
//   Z1 sysmon_asleep = true             G1 p->holder = m
//   Z2 membarrier (or fence)            G2 compiler barrier (or fence)
//   Z3 some P held? awake again         G3 sysmon_asleep? wake it
// Either Z3 sees G1 or G3 sees Z1, as in [retake].
#include "sched/sysmon.h"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <new>

#include "runtime/clock.h"
#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/membarrier.h"
#include "sched/p_monitor.h"
#include "sched/threads.h"

namespace weft::detail {

constinit std::atomic<bool> sysmon_asleep{false};

namespace {

struct monitor {
  std::mutex looking;         // held during a look
  p_monitor* at = nullptr;        // under looking
  std::atomic<pid_t> owner{0};  // the process that the thread is in: a forked child has none
  std::atomic<std::uint32_t> word{0};
};

monitor& the_monitor() {
  static auto* m = new monitor;  // never destroyed: its thread outlives main
  return *m;
}

// After Z1: returns true if the monitor may sleep.
bool may_rest(monitor& self) {
  if (membarrier_works()) fence_all_threads();  // Z2
  else std::atomic_thread_fence(std::memory_order_seq_cst);                                 // [monitor] Z2
  const std::lock_guard hold(self.looking);
  return !self.at || !self.at->any_p_held();  // Z3
}

// Without memory a look ends early, and the next one finds what is left.
std::int64_t look(p_monitor& at, std::int64_t now) noexcept {
  constexpr std::int64_t until_there_is_memory = 10'000'000;  // ns
  try {
    return at.look(now);
  } catch (const std::bad_alloc&) {
    return until_there_is_memory;
  }
}

void* sysmon_main(void*) {
  pthread_setname_np(pthread_self(), "weft-sysmon");
  monitor& self = the_monitor();
  for (;;) {
    const std::uint32_t word = self.word.load(std::memory_order_acquire);  // [monitor] the waker's writes
    const std::int64_t now = now_ns();
    std::int64_t until = never;
    bool at_rest = true;
    {
      const std::lock_guard hold(self.looking);
      if (self.at) {
        if (const std::int64_t delay = look(*self.at, now); delay != never) until = now + delay;
        at_rest = self.at->at_rest();
      }
    }
    if (!at_rest) {
      futex_wait(self.word, word, until);
      continue;
    }
    sysmon_asleep.store(true, std::memory_order_seq_cst);  // [monitor] Z1
    const bool in_time = may_rest(self) && !futex_wait(self.word, word, until);
    sysmon_asleep.store(false, std::memory_order_relaxed);
    if (in_time) continue;
    const std::lock_guard hold(self.looking);
    if (self.at) self.at->woken();
  }
}

void start_thread(monitor& self) {
  if (self.owner.load(std::memory_order_relaxed) == getpid()) return;
  if (start_detached(sysmon_main, nullptr) != 0)
    log_line("cannot start the monitor thread: a fiber that blocks unannounced will hold up others");
  else self.owner.store(getpid(), std::memory_order_relaxed);
}

}  // namespace

void wake_sysmon() noexcept {
  if (!sysmon_asleep.exchange(false, std::memory_order_relaxed)) return;
  monitor& self = the_monitor();
  self.word.fetch_add(1, std::memory_order_release);  // [monitor]
  futex_wake(self.word, 1);
}

void begin_sysmon(world& w) {
  monitor& self = the_monitor();
  {
    const std::lock_guard hold(self.looking);
    self.at = new p_monitor(w);
  }
  start_thread(self);
  wake_sysmon_if_asleep();
}

void end_sysmon() noexcept {
  monitor& self = the_monitor();
  const std::lock_guard hold(self.looking);
  delete self.at;
  self.at = nullptr;
}

void renew_sysmon_after_fork() {
  ::new (static_cast<void*>(&the_monitor())) monitor;
  sysmon_asleep.store(false, std::memory_order_relaxed);
}

int sysmon_threads() noexcept { return the_monitor().owner.load(std::memory_order_relaxed) == getpid() ? 1 : 0; }

}  // namespace weft::detail
