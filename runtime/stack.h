// Stacks: address space is reserved in large pieces, memory is committed when it is touched.
//
// A stack is `size` usable bytes. A guard of `guard_size` bytes lies directly below it, in address
// space of its own, and every access to the guard faults. A guard is larger than a page because a
// frame may be: a frame of 8 KiB with 3 KiB of stack left steps over a single page and writes into
// the stack below. A frame that is larger than the guard must be compiled with
// -fstack-clash-protection, which touches each page of the frame in order.
//
// Guards are made with MADV_GUARD_INSTALL, one call per guard, which needs no mapping of its own: a
// million stacks live in a few dozen mappings. A guard page costs one page table entry (8 bytes).
// Kernels before 6.13 have no MADV_GUARD_INSTALL: guards are made with mprotect there, which costs
// two mappings per guard at any guard size and no page table. They are made until half of
// vm.max_map_count is used, and then one line is logged.
//
// Stacks of one size and guard come from one arena and never leave it: the address space stays
// reserved, and the memory of a stack that rests is returned to the system.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::detail {

inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t min_stack_size = 16 << 10;
inline constexpr std::size_t max_stack_size = std::size_t{1} << 30;
inline constexpr std::size_t default_guard_size = 64 << 10;
inline constexpr std::size_t max_guard_size = 64 << 20;

class stack_arena;

struct stack {
  std::byte* bottom = nullptr;  // lowest usable address; the guard ends here
  stack_arena* arena = nullptr;

  std::size_t size() const noexcept;  // usable bytes; 0 for no stack
  std::byte* top() const noexcept { return bottom + size(); }
  std::byte* guard() const noexcept;  // lowest address of the guard
};

// All stacks of one size and guard. Any thread.
class stack_arena {
 public:
  explicit stack_arena(std::size_t stack_size, std::size_t guard_size = default_guard_size) noexcept
      : size_(stack_size), guard_(guard_size) {}
  stack_arena(const stack_arena&) = delete;
  stack_arena& operator=(const stack_arena&) = delete;

  std::size_t stack_size() const noexcept { return size_; }
  std::size_t guard_size() const noexcept { return guard_; }

  // Returns a stack with its guard: a new one, or one whose memory was returned to the system.
  // Throws std::bad_alloc when the address space is exhausted.
  stack take();

  // Returns the memory of `n` unused stacks to the system; take() hands them out again later.
  void rest(const stack* stacks, std::size_t n);

  // Calls f(stack) for every stack that was ever taken, for dumps.
  template <class F>
  void for_each(F f);

 private:
  struct piece {
    std::byte* from;
    std::size_t stacks;
  };
  void grow_locked();
  std::size_t stride() const noexcept { return guard_ + size_; }

  const std::size_t size_, guard_;
  spin_lock lock_;
  std::vector<piece> pieces_;  // under lock_
  std::size_t used_in_last_ = 0;  // under lock_: stacks taken from the newest piece
  std::vector<std::byte*> rested_;  // under lock_
};

inline std::size_t stack::size() const noexcept { return arena ? arena->stack_size() : 0; }
inline std::byte* stack::guard() const noexcept { return bottom - arena->guard_size(); }

template <class F>
void stack_arena::for_each(F f) {
  std::vector<piece> pieces;
  {
    lock_.lock();
    pieces = pieces_;
    if (!pieces.empty()) pieces.back().stacks = used_in_last_;
    lock_.unlock();
  }
  for (const piece& p : pieces)
    for (std::size_t i = 0; i < p.stacks; ++i) f(stack{p.from + i * stride() + guard_, this});
}

// Returns the arena for stacks of `size` bytes with guards of `guard` bytes, both rounded up to
// whole pages. An arena is never destroyed.
stack_arena& arena_for(std::size_t size, std::size_t guard = default_guard_size);

// In a forked child whose parent's threads may have used the arenas at the fork: later stacks come
// from new ones.
void renew_arenas_after_fork();

// Calls f(arena, arg) for every arena.
void for_each_arena(void (*f)(stack_arena&, void*), void* arg);

}  // namespace weft::detail
