#include "sched/one_world.h"

#include <cstdint>
#include <new>

#include "sched/fork.h"

namespace weft::detail {

std::mutex& one_world() noexcept {
  static std::mutex m;
  static std::uint32_t of = 0;
  if (of != fork_generation()) ::new (static_cast<void*>(&m)) std::mutex;  // the parent may hold it
  of = fork_generation();
  return m;
}

}  // namespace weft::detail
