// Recording stretches: a buffer per P, to which whoever holds the P appends.
//
// A watched P has an attention bit set, so that its fibers neither switch straight to each other nor
// end into the next one: every change of fiber comes through execute(), which marks it. Nothing is
// asked of a P that is not watched but whether it has a buffer, where it goes the long way anyhow.
//
// Note [timeline]: the attention bit is set before the P's buffer is stored, and the buffer is ready
// by then. Whoever acquires the buffer and opens a stretch in it also sees the bit when its fiber
// leaves, so no straight switch can hide in the stretch.
#include "sched/timeline.h"

#include <weft/errors.h>
#include <weft/timeline.h>

#include <algorithm>
#include <mutex>

#include "sched/g.h"

namespace weft::detail {

struct timeline_buffer {
  spin_lock lock;
  std::vector<timeline::stretch> done;  // under lock
  timeline::stretch open{};             // under lock: fiber 0 when none runs
  bool on = false;                      // under lock

  void close_locked(time_point t) {
    if (!open.fiber) return;
    open.to = std::max(open.from, t);
    done.push_back(std::move(open));
    open.fiber = 0;
  }
};

void timeline_enter_slow(M* m) {
  timeline_buffer* b = m->p->timeline.load(std::memory_order_acquire);  // [timeline]
  if (!b) return;
  const time_point t = now();
  const spawn_extras* extras = extras_of(m->g->record);
  const std::lock_guard hold(b->lock);
  if (!b->on) return;
  b->close_locked(t);
  b->open = {m->g->id, extras ? extras->name : std::string(), m->p->id, m->id, t, t};
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
  }
  p.timeline.store(&b, std::memory_order_release);  // [timeline]
}

namespace {

// Ends the watch and moves what was noted to `all`.
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
  p.timeline.store(nullptr, std::memory_order_relaxed);  // the buffer stays, for an M that still has it in hand
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
  world& w = *the_world();
  {
    const std::lock_guard hold(w.resize);
    if (w.recording) throw panic("timeline::start: a recording is on already");
    w.recording = true;
    for_each_p(w, timeline_watch);
  }
  yield();  // so that the caller's own stretch begins here
}

std::vector<stretch> stop() {
  if (!in_fiber()) throw panic("timeline::stop: called outside a fiber");
  world& w = *the_world();
  std::vector<stretch> all;
  {
    const std::lock_guard hold(w.resize);
    if (!w.recording) throw panic("timeline::stop: no recording is on");
    w.recording = false;
    const time_point end = now();
    for_each_p(w, [&](P& p) { unwatch(p, end, all); });
    // Other Ps have gone on meanwhile.
    std::erase_if(all, [end](const stretch& s) { return s.from > end; });
    for (stretch& s : all) s.to = std::min(s.to, end);
  }
  std::stable_sort(all.begin(), all.end(), [](const stretch& a, const stretch& b) { return a.from < b.from; });
  return all;
}

}  // namespace weft::timeline
