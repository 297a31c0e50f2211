// A plain thread's stay in the world.
//
// An M is of the world, which waits for it before it ends. Nothing binds a plain thread: the fiber that it
// wakes may end the world before it is back from waking. So it says that it is there before it looks for the
// world, and the world closes its doors, waits until nobody is inside, and ends then.
#pragma once
#include "sched/m.h"

namespace weft::detail {

struct world;

class visit {
 public:
  // m: the caller's, or null for a plain thread.
  explicit visit(const M* m) noexcept : outside_(!m), w_(m ? m->w : enter()) {}
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
  ~visit() {
    if (outside_) leave();
  }
  // Null if none runs, or it is about to end.
  world* where() const noexcept { return w_; }

 private:
  static world* enter() noexcept;
  static void leave() noexcept;
  const bool outside_;
  world* const w_;
};

void open_doors(world& w) noexcept;
// Nobody finds the world any more, and whoever had has left when it returns.
void close_doors() noexcept;
// Returns when each that was inside has left.
void wait_for_visitors() noexcept;

}  // namespace weft::detail
