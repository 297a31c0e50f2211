#include "sched/one_world.h"

#include <atomic>
#include <cstdint>
#include <new>

#include "sched/fork.h"

namespace weft::detail {

std::mutex& one_world() noexcept {
  static std::mutex m;
  static constinit std::atomic<std::uint32_t> of{0};
  // The parent may hold it.
  if (const std::uint32_t now = fork_generation(); of.exchange(now, std::memory_order_relaxed) != now)
    ::new (static_cast<void*>(&m)) std::mutex;
  return m;
}

}  // namespace weft::detail
