// The frames of a fiber: of the calling one, of a parked one, of one that a signal has stopped.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sched/cfi.h"
#include "sched/g.h"

namespace weft::detail {

// Code addresses, innermost first: the first and the last of them, and how many there were between.
// Each lies inside the instruction it speaks of. Fixed in size, for signal handlers.
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

// Those that `image` holds from `r` on. Safe in a signal handler.
void walk(frame_registers r, pc_kind kind, const stack_image& image, frame_list& frames) noexcept;

// Those of `g`, which is off its stack, `where`, from a copy of it made in `buffer`. The fiber may be woken
// meanwhile: the frames are worth something only if it has not been when this returns.
frame_list frames_of_parked(const G& g, const stack& where, std::vector<std::byte>& buffer);

// A whole stack in place, for a fiber that is stopped.
stack_image image_in_place(const stack& where) noexcept;

}  // namespace weft::detail
