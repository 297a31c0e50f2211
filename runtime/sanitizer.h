// The calls that inform sanitizers and Valgrind of stacks that are not the thread's own.
//
// Both the ASan and the TSan call must stand in the function that jumps: each keeps a shadow of the
// call stack, and a helper that returned between the call and the jump would remove its own frame
// from the wrong shadow. So jump() makes them itself, and inlining is forced in switch.h.
#pragma once
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(WEFT_ASAN)
#define WEFT_ASAN 1
#endif
#if __has_feature(thread_sanitizer) && !defined(WEFT_TSAN)
#define WEFT_TSAN 1
#endif
#endif
#if !defined(WEFT_ASAN)
#define WEFT_ASAN 0
#endif
#if !defined(WEFT_TSAN)
#define WEFT_TSAN 0
#endif

#if WEFT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(WEFT_HAVE_VALGRIND)
#include <valgrind/valgrind.h>
#endif

namespace weft::detail {

// For TSan each fiber is a separate thread, so a fiber's stack is never lent to the next one.
inline constexpr bool under_tsan = WEFT_TSAN != 0;
inline constexpr bool under_asan = WEFT_ASAN != 0;

// The state that a sanitizer keeps for one stack. Empty without a sanitizer.
struct sanitizer_context {
#if WEFT_ASAN
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
#endif
#if WEFT_TSAN
  void* fiber = nullptr;
#endif

  // The stack [bottom, bottom + size) begins to be used by a new fiber.
  void open([[maybe_unused]] void* stack_bottom, [[maybe_unused]] std::size_t stack_size) {
#if WEFT_ASAN
    bottom = stack_bottom;
    size = stack_size;
    fake_stack = nullptr;
#endif
#if WEFT_TSAN
    fiber = __tsan_create_fiber(0);
#endif
  }
  // The fiber has ended and is off its stack.
  void close() {
#if WEFT_TSAN
    if (fiber) __tsan_destroy_fiber(fiber);
    fiber = nullptr;
#endif
  }
  // The calling thread's own stack.
  void adopt_thread();
};

// Registers a stack of an arena, once: LSan looks for pointers in it, and Valgrind takes it for a
// stack.
inline void register_stack([[maybe_unused]] void* bottom, [[maybe_unused]] std::size_t size) {
#if WEFT_ASAN
  __lsan_register_root_region(bottom, size);
#endif
#if defined(WEFT_HAVE_VALGRIND)
  if (RUNNING_ON_VALGRIND) {
    [[maybe_unused]] const auto id = VALGRIND_STACK_REGISTER(bottom, static_cast<char*>(bottom) + size);
  }
#endif
}

// Removes the poison of frames that were left without being unwound, before the memory is used
// again.
inline void unpoison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t size) {
#if WEFT_ASAN
  __asan_unpoison_memory_region(from, size);
#endif
}

}  // namespace weft::detail
