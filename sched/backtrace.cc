#include "sched/backtrace.h"

#include <unwind.h>

#include "sched/cfi_rules.h"

namespace weft::detail {
namespace {

#if WEFT_INLINE_SWITCH

// The registers that the switch has saved. The others are where the function that switched has put them.
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

// Where jump_fcontext keeps what it saves. Boost has changed that once, so it is looked up: a fresh
// context holds its function where rbx will be restored from. 0: not recognised.
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

void walk(frame_registers r, pc_kind kind, const stack_image& image, frame_list& frames) noexcept {
  constexpr std::size_t patience = 1'000'000;  // frames
  for (std::size_t i = 0; i < patience; ++i) {
    frames.add(r[frame_registers::pc] - (kind == pc_kind::return_address ? 1 : 0));
    if (!step_up(r, kind, image)) return;
  }
}

frame_list frames_of_parked(const G& g, const stack& where, std::vector<std::byte>& buffer) {
  constexpr std::size_t most = 64 << 10;  // bytes of a stack that are looked at
  frame_list frames;
  frame_registers r = saved_by_switch(g.context.at);
  const std::uintptr_t at = r[frame_registers::sp];
  const stack_image whole = image_in_place(where);
  if (at % 8 != 0 || at < whole.low || at >= whole.high) return frames;
  const std::size_t size = std::min(whole.high - at, most) / 8 * 8;
  buffer.resize(size);
  copy_stack(reinterpret_cast<std::uint64_t*>(buffer.data()), reinterpret_cast<const volatile std::uint64_t*>(at),
             size / 8);
  const stack_image image{at, at + size, buffer.data()};
  if (complete_from_stack(r, image)) walk(r, pc_kind::return_address, image, frames);
  return frames;
}

stack_image image_in_place(const stack& where) noexcept {
  return {reinterpret_cast<std::uintptr_t>(where.usable()), reinterpret_cast<std::uintptr_t>(g_of(where)),
          where.usable()};
}

}  // namespace weft::detail
