// One frame up a stack that is not running, by the rules that the compiler has written (.eh_frame).
//
// A dump prints the frames of fibers that are parked, and a crash report those of a fiber that
// cannot continue. The C++ runtime's own unwinder walks the caller's stack only. Refused: putting a
// function onto the parked stack that walks it from within (it leaves a frame behind, and the fiber
// may be woken during the walk); frame pointers alone (most programs are compiled without).
//
// Reads the stack through an image, never beyond it, and allocates nothing: it runs in signal
// handlers. Knows x86-64; elsewhere there is no way up.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::detail {

// The bytes of a stack from `low` on: in place, or copied away from there.
struct stack_image {
  std::uintptr_t low = 0, high = 0;  // addresses that the bytes had
  const std::byte* bytes = nullptr;  // of address low

  // False outside the image.
  bool read(std::uintptr_t address, std::uint64_t& value) const noexcept;
};

// What a frame needs to be left: program counter, stack pointer, and the registers calls preserve,
// under the numbers that .eh_frame gives them.
struct frame_registers {
  static constexpr std::size_t bx = 3, bp = 6, sp = 7, pc = 16, count = 17;
  std::array<std::uint64_t, count> value{};

  std::uint64_t& operator[](std::size_t i) noexcept { return value[i]; }
  std::uint64_t operator[](std::size_t i) const noexcept { return value[i]; }
};

// The instruction that `pc` stands for: a return address follows its call, which may be the last of
// a function.
enum class pc_kind { exact, return_address };

// Changes `r` to the caller's registers, and `kind` to the kind of the new pc. Returns false at the
// end of the stack, and wherever the caller's frame cannot be found.
bool step_up(frame_registers& r, pc_kind& kind, const stack_image& stack) noexcept;

}  // namespace weft::detail
