// The frames of a fiber: of the calling fiber, of a parked fiber, of a fiber that a signal has
// stopped.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/switch.h"
#include "runtime/unwind/cfi.h"

namespace weft::detail {

// Code addresses, innermost first: the first and the last of them, and how many there were between.
// Each lies inside the instruction that it stands for. Fixed in size, for signal handlers.
class frame_list {
 public:
  static constexpr std::size_t part = 50;

  void add(std::uintptr_t pc) noexcept {
    if (count_ < part) first_[count_] = pc;
    else last_[count_ % part] = pc;
    ++count_;
  }
  std::size_t count() const noexcept { return count_; }
  std::size_t left_out() const noexcept { return count_ > 2 * part ? count_ - 2 * part : 0; }

  const std::array<std::uintptr_t, part>& first() const noexcept { return first_; }

  // All that was kept; left_out() are missing after the first `part`.
  std::vector<std::uintptr_t> kept() const {
    std::vector<std::uintptr_t> all(first_.begin(),
                                    first_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, part)));
    for (std::size_t i = std::max(part, count_ - std::min(count_, part)); i < count_; ++i)
      all.push_back(last_[i % part]);
    return all;
  }

 private:
  std::size_t count_ = 0;
  std::array<std::uintptr_t, part> first_{}, last_{};
};

// The calling fiber's, or thread's; the innermost `most` of them.
frame_list own_frames(std::size_t most = SIZE_MAX);

// The stacks that the frames of one fiber lie on: where it runs, and, during with_stack(), its own
// below that.
struct fiber_stacks {
  stack_image inner, outer;
};

// Adds the frames from `r` on, across both stacks. Safe in a signal handler.
void walk(frame_registers r, pc_kind kind, const fiber_stacks& stacks, frame_list& frames) noexcept;

// Returns the frames of a fiber that is off its stacks and resumes at `at`, from a copy of the
// stacks that is made in `buffer`. The fiber may resume during the call: the caller must check
// afterwards that it has not.
frame_list frames_of_parked(const stack_context& at, const fiber_stacks& stacks, std::vector<std::byte>& buffer);

}  // namespace weft::detail
