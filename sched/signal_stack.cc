#include "sched/signal_stack.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/sanitizer.h"
#include "sched/m.h"

namespace weft::detail {
namespace {

std::size_t signal_stack_size() noexcept {
  return std::max<std::size_t>(64 << 10, static_cast<std::size_t>(sysconf(_SC_SIGSTKSZ)));
}

}  // namespace

void give_signal_stack(M* m) noexcept {
  stack_t has{};
  if (under_asan || under_tsan || sigaltstack(nullptr, &has) != 0 || !(has.ss_flags & SS_DISABLE)) return;
  void* at = mmap(nullptr, signal_stack_size(), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (at == MAP_FAILED) return;
  const stack_t ours{.ss_sp = at, .ss_flags = 0, .ss_size = signal_stack_size()};
  sigaltstack(&ours, nullptr);
  m->signal_stack = at;
}

void take_signal_stack(M* m) noexcept {
  if (!m->signal_stack) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  stack_t has{};
  if (sigaltstack(nullptr, &has) == 0 && has.ss_sp == m->signal_stack) sigaltstack(&none, nullptr);
  munmap(m->signal_stack, signal_stack_size());
  m->signal_stack = nullptr;
}

}  // namespace weft::detail
