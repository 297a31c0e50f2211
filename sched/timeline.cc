#include "sched/timeline.h"

#include <weft/errors.h>
#include <weft/timeline.h>

#include <algorithm>
#include <mutex>

#include "sched/g.h"

namespace weft::detail {

// One P's recording. Its owner appends; the recorder takes it when the P has stopped appending.
struct timeline_buffer {
  spin_lock lock;
  std::vector<timeline::stretch> done;  // under lock
  timeline::stretch open{};             // under lock: fiber 0 when none runs
  bool on = false;                      // under lock
};

void timeline_mark_slow(M* m) {
  timeline_buffer& b = *m->p->timeline.load(std::memory_order_relaxed);
  const time_point t = now();
  const std::lock_guard hold(b.lock);
  if (b.open.fiber) {
    b.open.to = t;
    b.done.push_back(b.open);
    b.open.fiber = 0;
  }
  if (m->g && b.on) b.open = {m->g->id, m->p->id, m->id, t, t};
}

}  // namespace weft::detail

namespace weft::timeline {
namespace {

using namespace detail;

template <class F>
void for_each_p(world& w, F f) {
  for (auto& slot : w.ps)
    if (P* p = slot.load(std::memory_order_acquire)) f(*p);  // [procs]
}

}  // namespace

void start() {
  if (!in_fiber()) throw panic("timeline::start: called outside a fiber");
  world& w = *the_world();
  if (w.recording.exchange(true, std::memory_order_relaxed)) throw panic("timeline::start: a recording is on already");
  for_each_p(w, [](P& p) {
    auto* b = p.timeline.load(std::memory_order_relaxed);
    if (!b) b = new timeline_buffer;  // stays with its P
    {
      const std::lock_guard hold(b->lock);
      b->done.clear();
      b->on = true;
    }
    p.timeline.store(b, std::memory_order_release);  // [timeline]
    p.attention.fetch_or(watch_switches, std::memory_order_relaxed);
  });
  yield();  // so that the caller's own stretch begins here
}

std::vector<stretch> stop() {
  if (!in_fiber()) throw panic("timeline::stop: called outside a fiber");
  world& w = *the_world();
  if (!w.recording.exchange(false, std::memory_order_relaxed)) throw panic("timeline::stop: no recording is on");
  const time_point t = now();
  std::vector<stretch> all;
  for_each_p(w, [&](P& p) {
    auto* b = p.timeline.load(std::memory_order_acquire);  // [timeline]
    if (!b) return;
    p.attention.fetch_and(~static_cast<std::uint32_t>(watch_switches), std::memory_order_relaxed);
    const std::lock_guard hold(b->lock);
    b->on = false;
    if (b->open.fiber) {
      b->open.to = t;
      b->done.push_back(b->open);
      b->open.fiber = 0;
    }
    all.insert(all.end(), b->done.begin(), b->done.end());
  });
  std::sort(all.begin(), all.end(), [](const stretch& a, const stretch& b) { return a.from < b.from; });
  return all;
}

// Note [timeline]: a buffer is made before its P is told of it.

}  // namespace weft::timeline
