// Recording stretches: a buffer per P, to which the M that holds the P appends.
//
// A P that is recorded has an attention bit set, so that its fibers neither switch directly to each
// other nor end into the next one: every change of fiber passes through execute(), which records
// it. A P that is not recorded pays for one check, whether it has a buffer, on the slow path.
//
// Note [timeline]: the attention bit is set before the P's buffer is stored, and the buffer is
// ready by then. A thread that acquires the buffer and opens a stretch in it also sees the bit when
// its fiber leaves, so no direct switch is missing from the stretch.
#include "sched/timeline.h"

#include <weft/errors.h>
#include <weft/timeline.h>

#include <algorithm>
#include <mutex>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/retake.h"
#include "sched/thread_state.h"

namespace weft::detail {
namespace {

// The clocks are not read at the same moment: a thread uses no more CPU time than passes.
duration cpu_within(const timeline::stretch& s, std::int64_t cpu) noexcept {
  return std::clamp(duration(cpu), duration(0), s.to - s.from);
}

bool is_on(const cpu_limit& limit) noexcept { return limit.epoch.load(std::memory_order_relaxed) != 0; }

std::string name_of(const G& g) {
  const spawn_extras* extras = extras_of(g.record);
  return extras ? extras->name : std::string();
}

}  // namespace

struct timeline_buffer {
  spin_lock lock;
  std::vector<timeline::stretch> done;  // under lock
  timeline::stretch open{};             // under lock: fiber 0 when none runs
  long open_tid = 0;                    // under lock: the thread of `open`
  std::int64_t open_cpu = 0;            // under lock: its CPU time at `from`
  const cpu_limit* limit = nullptr;     // the world's
  bool on = false;                      // under lock

  void close_locked(time_point t) {
    if (!open.fiber) return;
    open.to = std::max(open.from, t);
    open.cpu = cpu_within(open, thread_cpu_ns(open_tid) - open_cpu);
    open.shared = open.shared || is_on(*limit);
    done.push_back(std::move(open));
    open.fiber = 0;
  }
};

// Fibers that compute without a P. All of it under world::retaking.
struct timeline_without_p {
  std::vector<timeline::stretch> done;
  bool on = false;
};

void timeline_enter_slow(M* m) {
  timeline_buffer* b = m->p->timeline.load(std::memory_order_acquire);  // [timeline]
  if (!b) return;
  const time_point t = now();
  timeline::stretch begun{m->g->id, name_of(*m->g), m->p->id, m->id, t, t};
  const std::lock_guard hold(b->lock);
  if (!b->on) return;
  b->close_locked(t);
  b->open = std::move(begun);
  b->open_tid = m->tid;
  b->open_cpu = thread_cpu_ns(m->tid);
  b->open.shared = is_on(*b->limit);
}

void timeline_leave_slow(M* m) { timeline_close(*m->p, now()); }

void timeline_close(P& p, time_point t) {
  timeline_buffer* b = p.timeline.load(std::memory_order_acquire);  // [timeline]
  if (!b) return;
  const std::lock_guard hold(b->lock);
  b->close_locked(t);
}

void timeline_watch(P& p) {
  if (!p.timeline_kept) p.timeline_kept = std::make_shared<timeline_buffer>();
  timeline_buffer& b = *p.timeline_kept;
  p.attention.fetch_or(watch_switches, std::memory_order_relaxed);
  {
    const std::lock_guard hold(b.lock);
    b.on = true;
    b.limit = &the_world()->limit;
  }
  p.timeline.store(&b, std::memory_order_release);  // [timeline]
}

namespace {

timeline::stretch stretch_without_p(const M& m, time_point end) {
  const M::without_p_state& lost = m.without_p;
  const time_point since{duration(lost.since)};
  timeline::stretch s{m.g->id, name_of(*m.g), timeline::no_p, m.id, since, std::max(since, end)};
  s.cpu = cpu_within(s, thread_cpu_ns(m.tid) - lost.cpu_then);
  if (lost.asleep) s.from = s.to - s.cpu;
  s.shared = is_on(m.w->limit);
  return s;
}

// The CPU time that a thread needs to return from a system call is no computing.
constexpr std::int64_t way_back_ns = 20'000;

void add_without_p(timeline_without_p& all, const M& m, time_point end) {
  timeline::stretch s = stretch_without_p(m, end);
  if (s.cpu.count() > way_back_ns || !m.without_p.asleep) all.done.push_back(std::move(s));
}

void watch_without_p(world& w) {
  const std::lock_guard hold(w.retaking);
  if (!w.timeline_without) w.timeline_without = std::make_shared<timeline_without_p>();
  w.timeline_without->on = true;
  const std::int64_t since = now_ns();
  for (M* m : w.without_p) {
    m->without_p.since = since;
    m->without_p.cpu_then = thread_cpu_ns(m->tid);
    m->without_p.asleep = asleep_in_kernel(m->tid);
  }
}

// With world::retaking held.
void unwatch_without_p(world& w, time_point end, std::vector<timeline::stretch>& all) {
  timeline_without_p& noted = *w.timeline_without;
  noted.on = false;
  for (const M* m : w.without_p) add_without_p(noted, *m, end);
  std::move(noted.done.begin(), noted.done.end(), std::back_inserter(all));
  noted.done.clear();
}

}  // namespace

void timeline_without_p_ends(M* m) {
  if (const auto& noted = m->w->timeline_without; noted && noted->on) add_without_p(*noted, *m, now());
}

namespace {

// Ends the recording and moves the stretches to `all`.
void unwatch(P& p, time_point end, std::vector<timeline::stretch>& all) {
  if (!p.timeline_kept) return;
  timeline_buffer& b = *p.timeline_kept;
  {
    const std::lock_guard hold(b.lock);
    b.on = false;
    b.close_locked(end);
    std::move(b.done.begin(), b.done.end(), std::back_inserter(all));
    b.done.clear();
  }
  p.timeline.store(nullptr, std::memory_order_relaxed);  // the buffer stays, for an M that still uses it
  p.attention.fetch_and(~static_cast<std::uint32_t>(watch_switches), std::memory_order_relaxed);
}

template <class F>
void for_each_p(world& w, F f) {
  for (auto& slot : w.ps)
    if (P* p = slot.load(std::memory_order_acquire)) f(*p);  // [procs]
}

}  // namespace
}  // namespace weft::detail

namespace weft::timeline {

using namespace detail;

void start() {
  if (!in_fiber()) throw panic("timeline::start: called outside a fiber");
  settle_fiber();
  world& w = *this_m()->w;
  {
    const std::lock_guard hold(w.resize);
    if (w.recording) throw panic("timeline::start: a recording is on already");
    w.recording = true;
    watch_without_p(w);
    for_each_p(w, timeline_watch);
  }
  yield();  // so that the caller's own stretch begins here
}

std::vector<stretch> stop() {
  if (!in_fiber()) throw panic("timeline::stop: called outside a fiber");
  settle_fiber();
  world& w = *this_m()->w;
  std::vector<stretch> all;
  {
    const std::lock_guard hold(w.resize);
    if (!w.recording) throw panic("timeline::stop: no recording is on");
    w.recording = false;
    // A P that is retaken ends a stretch and begins one without a P: both or none are in the
    // recording.
    const std::lock_guard no_retaking(w.retaking);
    const time_point end = now();
    for_each_p(w, [&](P& p) { unwatch(p, end, all); });
    unwatch_without_p(w, end, all);
    // Other Ps have run in the meantime.
    std::erase_if(all, [end](const stretch& s) { return s.from > end; });
    for (stretch& s : all) {
      s.to = std::min(s.to, end);
      s.cpu = std::min(s.cpu, s.to - s.from);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const stretch& a, const stretch& b) { return a.from < b.from; });
  return all;
}

}  // namespace weft::timeline
