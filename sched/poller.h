// The interface of a poller. The network implements it; the scheduler works without one.
#pragma once
#include <cstdint>

#include "sched/ready_list.h"

namespace weft::detail {

struct P;
struct world;

struct poller {
  virtual ~poller() = default;

  // True while a fiber waits for a descriptor. Any M.
  virtual bool has_waiters() const noexcept = 0;

  // Submits the requests that `p` has batched and collects ready fibers, without waiting. By an M
  // that holds `p`.
  virtual void poll(P& p, ready_list& ready) = 0;

  // Blocks until a fiber is ready, wake() is called, or the clock reaches `deadline_ns`. By one M
  // at a time, which holds no P.
  virtual void wait(std::int64_t deadline_ns, ready_list& ready) = 0;

  // Ends a wait(), or the next one if none is under way. Any thread; calls coalesce.
  virtual void wake() noexcept = 0;

  // The M that held `p` is about to release it: submits the batched requests.
  virtual void flush(P& p) = 0;

  // The world has ended. After this the kernel writes into no memory of its fibers any more.
  // `all_gone`: all its Ms have ended.
  virtual void end_world(bool all_gone) = 0;
};

// Makes `net` the poller of w, unless w has one already; returns the poller that w has from now on.
poller* install_poller(world& w, poller* net) noexcept;

}  // namespace weft::detail
