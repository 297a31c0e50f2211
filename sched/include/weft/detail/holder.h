// What a fiber waits for, if it is known: the holder of a lock, the fiber behind a task.
//
// A dump prints cycles of fibers that wait for each other. So every lock must record its holder,
// also in its fast path, and to look up the running fiber costs more than the lock. The stack
// pointer costs one store: it lies on the stack of exactly one fiber, which a dump finds by it.
#pragma once
#include <weft/detail/requirements.h>

#include <atomic>
#include <cstdint>

namespace weft::detail {

// An address on the stack of the function it is inlined into.
[[gnu::always_inline]] inline std::uintptr_t stack_position() noexcept {
  std::uintptr_t at = 0;
#if defined(__x86_64__)
  asm("mov %%rsp, %0" : "=r"(at));
#elif defined(__aarch64__)
  asm("mov %0, sp" : "=r"(at));
#endif
  return at;
}

// Written by the fiber that gets the lock; read by dumps only, which may read the previous one.
class holder {
 public:
  [[gnu::always_inline]] inline void is_caller() noexcept { at_.store(stack_position(), std::memory_order_relaxed); }
  void nobody() noexcept { at_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uintptr_t> at_{0};
};

// While one lives, its fiber, which is the caller, waits without a bound for `h` (null: for a
// holder that is not known). On a plain thread it does nothing.
class waits_for {
 public:
  explicit waits_for(const holder* h) noexcept;
  waits_for(const waits_for&) = delete;
  waits_for& operator=(const waits_for&) = delete;
  ~waits_for();

 private:
  const holder* outer_;
};

}  // namespace weft::detail
