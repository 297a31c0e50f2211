// Regions of code in which a suspension is a bug.
//
//   const std::lock_guard hold(std_mutex);
//   const weft::no_suspend region;      // a send() that parks here ends the process
#pragma once
#include <weft/detail/spawn.h>

namespace weft {
namespace detail {
const void* forbid_suspension(const void* site) noexcept;
void allow_suspension(const void* outer_site) noexcept;
}  // namespace detail

// While a no_suspend lives, its fiber must not park, yield or call blocking(), for example because
// it holds a std::mutex or the address of a thread-local variable. If it does, the process ends
// with a panic that shows both places: the stack of the suspension and where the region began.
// Calls that never suspend (try_send, unlock, go) are allowed. Nests. Must be constructed and
// destroyed by the same fiber; does nothing on a plain thread. Never blocks.
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
