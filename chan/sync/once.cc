#include <weft/once.h>

#include "sched/simulated.h"

namespace weft::detail {

bool once_was_called(const std::atomic<std::uint8_t>& done) noexcept {
  // Otherwise the first caller, or one that waits for it: at the mutex.
  if (!in_line.simulated || done.load(std::memory_order_acquire) == 0) return false;  // [once]
  sim_point(sim_op::peek, &done);
  return true;
}

}  // namespace weft::detail
