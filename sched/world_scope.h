// A plain thread's stay in the world.
//
// An M is part of the world, which waits for it before it ends. A plain thread is not: the fiber
// that it wakes may end the world before ready() returns. So the thread registers as a visitor
// before it looks up the world. At its end the world is hidden, waits until no visitor is inside,
// and ends then.
#pragma once
#include "sched/m.h"

namespace weft::detail {

struct world;

class world_scope {
 public:
  // m: the caller's M, or null for a plain thread
  explicit world_scope(const M* m) noexcept : outside_(!m), w_(m ? m->w : enter()) {}
  world_scope(const world_scope&) = delete;
  world_scope& operator=(const world_scope&) = delete;
  ~world_scope() {
    if (outside_) leave();
  }
  // Null if no world runs, or the world is about to end.
  world* world_or_null() const noexcept { return w_; }

 private:
  static world* enter() noexcept;
  static void leave() noexcept;
  const bool outside_;
  world* const w_;
};

void publish_world(world& w) noexcept;
// Hides the world from visitors. Returns when all visitors that had found it have left.
void unpublish_world() noexcept;
// In a forked child: no thread is inside a world, and none is open.
void forget_world_after_fork() noexcept;
// Returns when each visitor that was inside has left.
void wait_for_visitors() noexcept;

}  // namespace weft::detail
