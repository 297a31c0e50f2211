// The monitor: a thread without a P. While some P is held it looks, every 1 to 10 ms, whether each goes on
// from turn to turn, and takes those that do not from under their Ms if anything waits for them. When no P
// is held, and nothing is left to tidy up, it sleeps for good.
//
// A fiber asleep in the kernel has made a call that nobody announced: seen twice, 100 us apart, its P is
// taken. One that computes keeps the P for a time slice.
//
// Refused: a timer signal per thread, as it breaks system calls; looking every 20 us, as Go's monitor does after
// each wake-up, which costs more than it finds while most calls are shorter than that.
//
// Note [monitor]: falling asleep
//      monitor                             M that gets a P
//   Z1 sysmon_asleep = true             G1 p->holder = m
//   Z2 membarrier (or fence)            G2 compiler barrier (or fence)
//   Z3 some P held? awake again         G3 sysmon_asleep? wake it
// Either Z3 sees G1 or G3 sees Z1, as in [retake].
#include "sched/sysmon.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "runtime/clock.h"
#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "sched/coarse_clock.h"
#include "sched/g_cache.h"
#include "sched/retake.h"
#include "sched/retire_ms.h"
#include "sched/timeline.h"
#include "sched/world.h"

namespace weft::detail {

constinit std::atomic<bool> sysmon_asleep{false};

namespace {

constexpr std::int64_t us = 1000, ms = 1000 * us;
constexpr std::int64_t delay_min = 1 * ms, delay_max = 10 * ms;
constexpr std::int64_t delay_max_with_queue = 2 * ms;  // a call that blocks now holds somebody up
constexpr std::int64_t second_look = 100 * us;
constexpr std::int64_t slice = 10 * ms;
constexpr std::int64_t tidy_every = 100 * ms;

// True while the thread sleeps in the kernel, or waits for a page or a disk.
bool asleep_in_kernel(long tid) noexcept {
  char path[64], text[512];
  std::snprintf(path, sizeof path, "/proc/self/task/%ld/stat", tid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = '\0';
  const char* state = std::strrchr(text, ')');  // the name before it may hold anything
  return state && (state[2] == 'S' || state[2] == 'D');
}

// A fiber that could run now and has no P to run on, or something that only a P can find out.
bool somebody_waits(const world& w, std::int64_t now) noexcept {
  if (w.global_size.load(std::memory_order_relaxed) > 0) return true;
  if (w.net && w.net->has_waiters()) return true;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (const P* p = w.p_at(i); !p->queue.empty_approx() || p->timers.earliest() <= now) return true;
  return false;
}

// What the monitor has seen of one world.
class watch {
 public:
  explicit watch(world& w) : w_(w) {}

  // Looks once; returns how long to wait until the next look, or `never`.
  std::int64_t look(std::int64_t now) {
    set_coarse_clock(w_, now);
    const bool tidy = tidy_up(now);
    const bool waits = somebody_waits(w_, now);
    standing s = standing::moving;
    bool held = false;
    {
      const std::lock_guard hold(w_.retaking);
      const int made = w_.ps_to_look_at();
      seen_.resize(static_cast<std::size_t>(made));
      for (int i = 0; i < made; ++i) {
        P* p = w_.p_at(i);
        held = held || p->holder.load(std::memory_order_relaxed);
        s = std::max(s, look_at(p, seen_[static_cast<std::size_t>(i)], now, waits));
      }
    }
    if (!taken_.empty()) delay_ = second_look;  // where one has blocked, others may
    hand_off_what_was_taken();
    quiet_looks_ = held ? 0 : quiet_looks_ + 1;
    if (s == standing::asleep) return second_look;
    if (quiet_looks_ >= 2) return tidy ? never : tidy_every;
    if (s == standing::busy && waits) delay_ = std::min(2 * delay_, delay_min);
    else delay_ = std::min(2 * delay_, waits ? delay_max_with_queue : delay_max);
    return delay_;
  }

  bool any_p_held() const noexcept {
    const int made = w_.ps_to_look_at();
    for (int i = 0; i < made; ++i)
      if (w_.p_at(i)->holder.load(std::memory_order_relaxed)) return true;
    return false;
  }

  void woken() noexcept {
    delay_ = delay_min;
    quiet_looks_ = 0;
  }

 private:
  enum class standing { moving, busy, asleep };
  struct memory {
    M* m = nullptr;
    std::uint32_t turn = 0;
    std::int64_t since = 0;
    bool slept = false;
  };

  // With world::retaking held.
  standing look_at(P* p, memory& before, std::int64_t now, bool waits) {
    // [retake] holder first: whoever got the P in this turn or an earlier one has finished getting it
    M* m = p->holder.load(std::memory_order_acquire);
    const std::uint32_t turn = p->turn.load(std::memory_order_acquire);  // [retake]
    if (!m || m != before.m || turn != before.turn) before = {m, turn, now, false};
    if (!m || m->in_runtime.load(std::memory_order_relaxed)) return standing::moving;
    if (!waits) return before.since == now ? standing::moving : standing::busy;
    const bool sleeps = asleep_in_kernel(m->tid);
    const bool take = sleeps ? before.slept : now - before.since >= slice;
    if (take && take_p_locked(w_, p, m, turn)) {
      taken_.push_back(p);
      before = {};
      return standing::moving;
    }
    before.slept = sleeps;
    if (sleeps) return standing::asleep;
    return before.since == now ? standing::moving : standing::busy;
  }

  void hand_off_what_was_taken() {
    for (P* p : taken_) {
      if (p->timeline.load(std::memory_order_relaxed)) timeline_close(*p);
      hand_off_p(w_, p);
    }
    taken_.clear();
  }

  // Memory of stacks and threads that nobody has needed for a while. True if nothing is left to do.
  bool tidy_up(std::int64_t now) {
    if (now < tidy_at_) return tidy_;
    tidy_at_ = now + tidy_every;
    const std::size_t stacks = rest_idle_gs(w_.stack_size);
    tidy_ = retire_idle_ms(w_) && stacks == 0;
    return tidy_;
  }

  world& w_;
  std::vector<memory> seen_;
  std::vector<P*> taken_;
  std::int64_t delay_ = delay_min;
  std::int64_t tidy_at_ = 0;
  int quiet_looks_ = 0;
  bool tidy_ = true;
};

struct monitor {
  std::mutex looking;         // held during a look
  watch* at = nullptr;        // under looking
  std::atomic<pid_t> owner{0};  // the process that the thread is in: a forked child has none
  std::atomic<std::uint32_t> word{0};
};

monitor& the_monitor() {
  static auto* m = new monitor;  // never destroyed: its thread outlives main
  return *m;
}

// After Z1: nothing is there to do, as far as any M can have seen that we sleep.
bool may_sleep_for_good(monitor& self) {
  if (membarrier_works()) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);  // Z2
  else std::atomic_thread_fence(std::memory_order_seq_cst);                                 // [monitor] Z2
  const std::lock_guard hold(self.looking);
  return !self.at || !self.at->any_p_held();  // Z3
}

void* sysmon_main(void*) {
  pthread_setname_np(pthread_self(), "weft-sysmon");
  monitor& self = the_monitor();
  for (;;) {
    const std::uint32_t word = self.word.load(std::memory_order_acquire);  // [monitor] what was asked of us
    const std::int64_t now = now_ns();
    std::int64_t delay = never;
    {
      const std::lock_guard hold(self.looking);
      if (self.at) delay = self.at->look(now);
    }
    if (delay != never) {
      futex_wait(self.word, word, now + delay);
      continue;
    }
    sysmon_asleep.store(true, std::memory_order_seq_cst);  // [monitor] Z1
    if (may_sleep_for_good(self)) futex_wait(self.word, word, never);
    sysmon_asleep.store(false, std::memory_order_relaxed);
    const std::lock_guard hold(self.looking);
    if (self.at) self.at->woken();
  }
}

void start_thread(monitor& self) {
  if (self.owner.load(std::memory_order_relaxed) == getpid()) return;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_t t;
  const int failed = pthread_create(&t, &attr, sysmon_main, nullptr);
  pthread_attr_destroy(&attr);
  if (failed) log_line("cannot start the monitor thread: a fiber that blocks unannounced will hold up others");
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
    self.at = new watch(w);
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

int sysmon_threads() noexcept { return the_monitor().owner.load(std::memory_order_relaxed) == getpid() ? 1 : 0; }

}  // namespace weft::detail
