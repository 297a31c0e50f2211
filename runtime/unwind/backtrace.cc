#include "runtime/unwind/backtrace.h"

#include <unwind.h>

#include "runtime/call_on_stack.h"
#include "runtime/unwind/cfi_rules.h"

namespace weft::detail {
namespace {

#if WEFT_INLINE_SWITCH

// The registers that the switch has saved. The others are where the function that switched has put
// them.
[[gnu::noinline]] WEFT_NO_SANITIZE frame_registers saved_by_switch(const volatile saved_registers& at) noexcept {
  frame_registers r;
  r[frame_registers::sp] = reinterpret_cast<std::uintptr_t>(at.sp);
  r[frame_registers::pc] = reinterpret_cast<std::uintptr_t>(at.ip);
  r[frame_registers::bp] = reinterpret_cast<std::uintptr_t>(at.bp);
  return r;
}
bool complete_from_stack(frame_registers&, const stack_image&) noexcept { return true; }

#else

[[gnu::noinline]] WEFT_NO_SANITIZE frame_registers saved_by_switch(const volatile saved_registers& at) noexcept {
  frame_registers r;
  r[frame_registers::sp] = reinterpret_cast<std::uintptr_t>(at.sp);
  return r;
}

// The place where jump_fcontext saves registers. Boost has changed it once, so it is detected: a
// new context holds its function where rbx will be restored from. 0: not recognised.
std::size_t offset_of_bx() {
  static const std::size_t found = [] {
    alignas(64) static std::byte memory[1024];
    const auto never_entered = [](boost::context::detail::transfer_t) {};
    void (*const f)(boost::context::detail::transfer_t) = never_entered;
    const auto at = reinterpret_cast<std::uintptr_t>(
        boost::context::detail::make_fcontext(memory + sizeof memory, sizeof memory, f));
    const auto low = reinterpret_cast<std::uintptr_t>(memory);
    const stack_image image{low, low + sizeof memory, memory};
    for (const std::size_t bx : {std::size_t{0x28}, std::size_t{0x30}}) {
      std::uint64_t v = 0;
      if (image.read(at + bx, v) && v == reinterpret_cast<std::uint64_t>(f)) return bx;
    }
    return std::size_t{0};
  }();
  return found;
}

bool complete_from_stack(frame_registers& r, const stack_image& image) noexcept {
  const std::uint64_t at = r[frame_registers::sp];
  const std::size_t bx = offset_of_bx();
  bool complete = bx != 0 && image.read(at + bx, r[frame_registers::bx]) &&
                  image.read(at + bx + 8, r[frame_registers::bp]) && image.read(at + bx + 16, r[frame_registers::pc]);
  for (std::size_t i = 0; i < 4; ++i) complete = complete && image.read(at + bx - 32 + 8 * i, r[12 + i]);
  r[frame_registers::sp] = at + bx + 24;
  return complete;
}

#endif

[[gnu::noinline]] WEFT_NO_SANITIZE void copy_stack(std::uint64_t* to, const volatile std::uint64_t* from,
                                                   std::size_t words) noexcept {
  for (std::size_t i = 0; i < words; ++i) to[i] = from[i];
}

}  // namespace

frame_list own_frames(std::size_t most) {
  struct {
    frame_list frames;
    std::size_t left;
  } found{{}, most};
  _Unwind_Backtrace(
      [](_Unwind_Context* c, void* to) {
        int exact = 0;
        const std::uintptr_t pc = _Unwind_GetIPInfo(c, &exact);
        if (pc == 0) return _URC_END_OF_STACK;
        auto& [frames, left] = *static_cast<decltype(found)*>(to);
        frames.add(exact ? pc : pc - 1);
        return --left > 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
      },
      &found);
  return found.frames;
}

namespace {

// Adds the frames that `image` holds; r is the last of them afterwards.
void walk_one(frame_registers& r, pc_kind& kind, const stack_image& image, frame_list& frames) noexcept {
  constexpr std::size_t patience = 1'000'000;  // frames
  for (std::size_t i = 0; i < patience; ++i) {
    frames.add(r[frame_registers::pc] - (kind == pc_kind::return_address ? 1 : 0));
    const frame_registers before = r;
    if (step_up(r, kind, image)) continue;
    r = before;
    return;
  }
}

// From the frame that joins two stacks to its caller, on the outer one.
bool step_to_outer(frame_registers& r, pc_kind& kind, const stack_image& outer) noexcept {
  const std::uint64_t at = r[frame_registers::bp];
  if (!joins_stacks(r[frame_registers::pc] - 1) || !outer.read(at, r[frame_registers::bp]) ||
      !outer.read(at + 8, r[frame_registers::pc]))
    return false;
  r[frame_registers::sp] = at + 16;
  kind = pc_kind::return_address;
  return r[frame_registers::pc] != 0;
}

// Returns a copy of `whole` from `at` on, as far as it is read. Empty if `at` does not lie there.
stack_image copy_from(std::uintptr_t at, const stack_image& whole, std::vector<std::byte>& buffer) {
  constexpr std::size_t most = 64 << 10;
  if (at % 8 != 0 || at < whole.low || at >= whole.high) return {};
  const std::size_t size = std::min(whole.high - at, most) / 8 * 8;
  buffer.resize(size);
  copy_stack(reinterpret_cast<std::uint64_t*>(buffer.data()), reinterpret_cast<const volatile std::uint64_t*>(at),
             size / 8);
  return {at, at + size, buffer.data()};
}

}  // namespace

void walk(frame_registers r, pc_kind kind, const fiber_stacks& stacks, frame_list& frames) noexcept {
  walk_one(r, kind, stacks.inner, frames);
  if (step_to_outer(r, kind, stacks.outer)) walk_one(r, kind, stacks.outer, frames);
}

frame_list frames_of_parked(const stack_context& parked, const fiber_stacks& stacks, std::vector<std::byte>& buffer) {
  frame_list frames;
  frame_registers r = saved_by_switch(parked.at);
  pc_kind kind = pc_kind::return_address;
  const stack_image inner = copy_from(r[frame_registers::sp], stacks.inner, buffer);
  if (!inner.bytes || !complete_from_stack(r, inner)) return frames;
  walk_one(r, kind, inner, frames);
  if (!joins_stacks(r[frame_registers::pc] - 1)) return frames;
  const stack_image outer = copy_from(r[frame_registers::bp], stacks.outer, buffer);
  if (outer.bytes && step_to_outer(r, kind, outer)) walk_one(r, kind, outer, frames);
  return frames;
}

}  // namespace weft::detail
