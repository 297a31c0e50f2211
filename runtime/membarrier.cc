#include "runtime/membarrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/fatal.h"
#include "runtime/sanitizer.h"

namespace weft::detail {

namespace {
bool register_here() noexcept { return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0; }
}  // namespace

bool membarrier_works() noexcept {
  if (under_tsan) return false;
  static const bool registered = register_here();
  return registered;
}

void renew_membarrier_after_fork() noexcept {
  if (membarrier_works() && !register_here()) fatal("a forked child may not use membarrier(2), which its parent could");
}

void fence_all_threads() noexcept { syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }

}  // namespace weft::detail
