// Regions of code in which a suspension would be a bug.
#pragma once
#include <weft/detail/spawn.h>

namespace weft {
namespace detail {
const void* forbid_suspension(const void* site) noexcept;
void allow_suspension(const void* outer_site) noexcept;
}  // namespace detail

// While one lives, its fiber must not park, yield or call blocking(): it holds a std::mutex, or the address of a
// thread-local, or walks something that other fibers change. If it does, the process ends as of a panic, with both
// places: the suspension's stack and where the region began. Calls that do not suspend (try_send, unlock, go) are
// allowed. Nests. Made and destroyed by the same fiber; on a plain thread it does nothing.
class [[nodiscard]] no_suspend {
 public:
  [[gnu::always_inline]] inline no_suspend() noexcept : outer_(detail::forbid_suspension(detail::code_address())) {}
  no_suspend(const no_suspend&) = delete;
  no_suspend& operator=(const no_suspend&) = delete;
  ~no_suspend() { detail::allow_suspension(outer_); }

 private:
  const void* outer_;  // of the region around this one, or null
};

}  // namespace weft
