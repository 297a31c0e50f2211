// Which Ps do not go on from turn to turn, and what waits for them.
//
// A fiber asleep in the kernel has made a call that nobody announced: seen twice, 50 us apart, its P is
// taken. One that computes keeps the P for a time slice. Neither loses it while nobody waits. Looking costs some
// microseconds, so it is done seldom while all goes well, and often for a while where a P has been taken.
//
// Refused: looking every 20 us, as Go's monitor does after each wake-up, which costs more than it finds while most
// calls are shorter than that.
#include "sched/p_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "runtime/clock.h"
#include "runtime/sanitizer.h"
#include "sched/coarse_clock.h"
#include "sched/g_cache.h"
#include "sched/retake.h"
#include "sched/retire_ms.h"
#include "sched/schedtrace.h"
#include "sched/timeline.h"

namespace weft::detail {
namespace {

constexpr std::int64_t us = 1000, ms = 1000 * us;
constexpr std::int64_t delay_min = 1 * ms, delay_max = 5 * ms;
constexpr std::int64_t delay_max_with_queue = 2 * ms;  // a call that blocks now holds somebody up
constexpr std::int64_t second_look = 50 * us;
constexpr std::int64_t chaos_look = 50 * us;
constexpr std::int64_t slice = 10 * ms * (under_tsan ? 20 : under_asan ? 4 : 1);  // as much work in any build
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
  if (const poller* net = w.poller_or_null(); net && net->has_waiters()) return true;
  const int made = w.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (const P* p = w.p_at(i); !p->queue.empty_approx() || p->timers.earliest() <= now) return true;
  return false;
}

}  // namespace

p_watch::p_watch(world& w) noexcept
    : w_(w), began_(now_ns()), delay_(delay_min), trace_at_(w.debug.schedtrace_ms > 0 ? began_ : never) {}

void p_watch::woken() noexcept {
  delay_ = delay_min;
  quiet_looks_ = 0;
}

bool p_watch::any_p_held() const noexcept {
  const int made = w_.ps_to_look_at();
  for (int i = 0; i < made; ++i)
    if (w_.p_at(i)->holder.load(std::memory_order_relaxed)) return true;
  return false;
}

std::int64_t p_watch::look(std::int64_t now) {
  set_coarse_clock(w_, now);
  trace(now);
  const bool tidy = tidy_up(now);
  const bool waits = somebody_waits(w_, now) || w_.debug.chaos;
  standing s = standing::moving;
  {
    const std::lock_guard hold(w_.retaking);
    const int made = w_.ps_to_look_at();
    seen_.resize(static_cast<std::size_t>(made));
    active_ = false;
    for (int i = 0; i < made; ++i) s = std::max(s, look_at(w_.p_at(i), seen_[static_cast<std::size_t>(i)], now, waits));
  }
  if (!taken_.empty()) delay_ = second_look;  // where one has blocked, others may
  hand_off_what_was_taken(now);
  quiet_looks_ = active_ ? 0 : quiet_looks_ + 1;
  const std::int64_t until_trace = trace_at_ == never ? never : std::max<std::int64_t>(trace_at_ - now, 0);
  const std::int64_t delay = std::min(next_look(s, waits, tidy), until_trace);
  leave_no_timer_alone(now, delay == never ? never : now + delay);
  return delay;
}

bool p_watch::at_rest() const noexcept {
  constexpr int quiet = 4;  // with the delays that grow: more than 10 ms in all, or tickers would rouse it each time
  return quiet_looks_ >= quiet;
}

// Until the next look nobody else may see to it that an M sleeps for the timers. At rest, nobody may ever: fibers may
// be computing, but their Ms have lost their Ps.
void p_watch::leave_no_timer_alone(std::int64_t now, std::int64_t next) {
  w_.monitor_looks_at.store(at_rest() ? 0 : next, std::memory_order_seq_cst);  // [post] X1
  bool alone = false;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const std::int64_t earliest = w_.p_at(static_cast<int>(i))->timers.earliest();
    const bool goes_on = seen_[i].m && seen_[i].since == now;  // and looks after its own
    const bool soon = at_rest() || earliest - look_takes_ns <= next;
    alone = alone || (earliest != never && !goes_on && soon);
  }
  if (alone) fill_timer_post(w_);
}

std::int64_t p_watch::next_look(standing s, bool waits, bool tidy) noexcept {
  if (s == standing::asleep) return second_look;
  if (at_rest()) return tidy ? never : tidy_every;
  if (w_.debug.chaos) return chaos_look;
  const std::int64_t most = !waits ? delay_max : s == standing::busy ? delay_min : delay_max_with_queue;
  const std::int64_t delay = std::min(delay_, most);
  delay_ = 2 * delay;
  return delay;
}

// With world::retaking held.
p_watch::standing p_watch::look_at(P* p, memory& before, std::int64_t now, bool waits) {
  // The holder first: whoever got the P in the turn that is read then, or in one before, has finished getting it.
  M* m = p->holder.load(std::memory_order_acquire);                   // [retake]
  const std::uint32_t turn = p->turn.load(std::memory_order_acquire);  // [retake]
  active_ = active_ || m || turn != before.turn;
  if (!m || m != before.m || turn != before.turn) before = {m, turn, now, false};
  if (!m || m->in_runtime.load(std::memory_order_relaxed)) return standing::moving;
  const standing awake = before.since == now ? standing::moving : standing::busy;
  if (!waits) return awake;
  const bool sleeps = asleep_in_kernel(m->tid);
  const bool take = w_.debug.chaos || (sleeps ? before.slept : now - before.since >= slice);
  if (take && take_p_locked(w_, p, m, turn)) {
    taken_.push_back(p);
    before = {};
    return standing::moving;
  }
  before.slept = sleeps;
  return sleeps ? standing::asleep : awake;
}

void p_watch::hand_off_what_was_taken(std::int64_t now) {
  for (P* p : taken_) {
    // Not later than it was taken: its fiber may have another P since.
    if (p->timeline.load(std::memory_order_relaxed)) timeline_close(*p, time_point(duration(now)));
    hand_off_p(w_, p);
  }
  taken_.clear();
}

// Memory of stacks, and threads, that nobody has needed for a while. True if nothing is left to do.
bool p_watch::tidy_up(std::int64_t now) {
  if (now < tidy_at_) return tidy_;
  tidy_at_ = now + tidy_every;
  const std::size_t stacks = rest_idle_gs(w_.stack_size);
  tidy_ = retire_idle_ms(w_) && stacks == 0;
  return tidy_;
}

void p_watch::trace(std::int64_t now) {
  if (now < trace_at_) return;
  const std::string line = schedtrace_line(w_, now - began_);
  std::fwrite(line.data(), 1, line.size(), stderr);
  trace_at_ = now + w_.debug.schedtrace_ms * ms;
}

}  // namespace weft::detail
