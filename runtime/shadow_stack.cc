#include "runtime/shadow_stack.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/fatal.h"

namespace weft::detail {

void refuse_shadow_stacks() noexcept {
#if defined(__x86_64__)
  constexpr int arch_shstk_status = 0x5005;
  constexpr unsigned long shadow_stack = 1;
  unsigned long features = 0;
  if (syscall(SYS_arch_prctl, arch_shstk_status, &features) != 0 || !(features & shadow_stack)) return;
  give_up(
      "this process runs with shadow stacks (CET), which fibers do not support; link with -z noshstk, or set "
      "GLIBC_TUNABLES=glibc.cpu.hwcaps=-SHSTK");
#endif
}

}  // namespace weft::detail
