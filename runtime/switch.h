// Leaving one stack for another: the registers, the exception state that belongs to a stack, and
// the calls that sanitizers need.
//
// boost::context::fiber is refused: from Boost 1.88 it saves exception state itself and was
// miscompiled where fibers migrate between threads. The state is two words at an address that is
// constant for a thread, so the caller, which runs the thread, passes that address in.
#pragma once
#include <cxxabi.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/registers.h"
#include "runtime/sanitizer.h"

namespace weft::detail {

// What the C++ runtime keeps per thread about exceptions: those being handled, and how many fly.
struct exception_state {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

// The calling thread's. The address never changes for a thread.
inline exception_state* exceptions_of_this_thread() noexcept {
  return reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

// A stack that is not being run now, ready to be jumped to.
struct stack_context {
  saved_registers at;
  // Its exception_state, in pieces, so that the word after them fits into the same cache line.
  void* caught = nullptr;
  unsigned int uncaught = 0;
  std::atomic<std::uint32_t> left_at{0};  // its owner's: when it was left, on a clock of the owner's
  [[no_unique_address]] sanitizer_context sanitizer;
};

// Leaves `from` and continues `to`, which gets `note`. Returns, perhaps on another thread, when
// `from` is jumped to again, with the note of that jump. `exceptions` is the calling thread's.
// `from_ends`: `from` is never jumped to again.
[[gnu::always_inline]] inline switch_header* jump(stack_context& from, stack_context& to, exception_state* exceptions,
                                                  switch_header* note,
                                                  [[maybe_unused]] bool from_ends = false) noexcept {
  from.caught = exceptions->caught;
  from.uncaught = exceptions->uncaught;
  *exceptions = {to.caught, to.uncaught};
  note->left = &from.at;
#if WEFT_ASAN
  __sanitizer_start_switch_fiber(from_ends ? nullptr : &from.sanitizer.fake_stack, to.sanitizer.bottom,
                                 to.sanitizer.size);
#endif
#if WEFT_TSAN
  __tsan_switch_to_fiber(to.sanitizer.fiber, 0);
#endif
  note = switch_registers(from.at, to.at, note);
#if WEFT_ASAN
  __sanitizer_finish_switch_fiber(from.sanitizer.fake_stack, nullptr, nullptr);
#endif
  return note;
}

// The first thing that a new stack does, where jump() would have returned on an old one.
[[gnu::always_inline]] inline void entered_new_stack() noexcept {
#if WEFT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

}  // namespace weft::detail
