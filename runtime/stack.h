// Stacks: address space taken in big pieces, memory committed when it is touched.
//
// A stack is `size` bytes of which the lowest page is the guard. Guards are made with
// MADV_GUARD_INSTALL, which costs no mapping, so a million stacks live in a few dozen; kernels
// before 6.13 get mprotect guards until half of vm.max_map_count is used, and one logged line.
//
// Stacks of one size come from one arena and never leave it: the address space stays, and the
// memory of a stack that has rested is given back.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::detail {

inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t min_stack_size = 16 << 10;
inline constexpr std::size_t max_stack_size = std::size_t{1} << 30;

struct stack {
  std::byte* bottom = nullptr;  // lowest address, the guard page
  std::size_t size = 0;

  std::byte* usable() const noexcept { return bottom + page_size; }
  std::byte* top() const noexcept { return bottom + size; }
};

// All stacks of one size. Any thread.
class stack_arena {
 public:
  explicit stack_arena(std::size_t stack_size) noexcept : size_(stack_size) {}
  stack_arena(const stack_arena&) = delete;
  stack_arena& operator=(const stack_arena&) = delete;

  std::size_t stack_size() const noexcept { return size_; }

  // A stack with its guard; never seen before, or one whose memory was given back.
  // Throws std::bad_alloc when the address space is exhausted.
  stack take();

  // Gives the memory of `n` stacks that nobody uses back to the system; take() returns them later.
  void rest(const stack* stacks, std::size_t n);

  // Every stack that was ever taken, for dumps: calls f(stack).
  template <class F>
  void for_each(F f);

 private:
  struct piece {
    std::byte* from;
    std::size_t stacks;
  };
  void grow_locked();

  const std::size_t size_;
  spin_lock lock_;
  std::vector<piece> pieces_;      // under lock_
  std::size_t used_in_last_ = 0;   // under lock_: stacks taken from the newest piece
  std::vector<std::byte*> rested_; // under lock_
};

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
    for (std::size_t i = 0; i < p.stacks; ++i) f(stack{p.from + i * size_, size_});
}

// The arena for stacks of at least `size` bytes: rounded up to whole pages. Arenas live for ever.
stack_arena& arena_for(std::size_t size);

// Calls f(arena) for every arena there is.
void for_each_arena(void (*f)(stack_arena&, void*), void* arg);

}  // namespace weft::detail
