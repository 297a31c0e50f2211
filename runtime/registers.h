// Leaving one register file for another: the machine part of a switch.
//
// On x86-64 it is a few instructions in line. Boost.Context's jump is called and leaves by a jump,
// so it puts an entry on the CPU's return stack that no return takes off again: after each switch
// the next return is mispredicted, which costs more than the switch (a yield: 21 ns against 12).
// All registers are declared as changed, so the compiler saves those in use and no others.
//
// The control words of the floating-point units (rounding mode and the like) belong to the fiber.
// To load them is slow and they rarely differ, so they are compared first.
//
// On other machines, and with -Dboost_switch=true, the switch is Boost.Context's jump_fcontext.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && !defined(WEFT_BOOST_SWITCH)
#define WEFT_INLINE_SWITCH 1
#else
#define WEFT_INLINE_SWITCH 0
#include <boost/context/detail/fcontext.hpp>
#endif

namespace weft::detail {

struct saved_registers;

// The beginning of what a switch passes to the other side: the registers of the stack that it left.
struct switch_header {
  saved_registers* left;
};

using fiber_start = void (*)(switch_header*);

#if WEFT_INLINE_SWITCH

struct saved_registers {
  void* sp = nullptr;  // where the stack ends; what lies below may be overwritten
  void* ip = nullptr;
  void* bp = nullptr;
  std::uint32_t sse_control = 0;
  std::uint16_t x87_control = 0;
};

inline void read_fp_control(saved_registers& r) noexcept {
  asm volatile("stmxcsr %0" : "=m"(r.sse_control));
  asm volatile("fnstcw %0" : "=m"(r.x87_control));
}
inline void load_fp_control(const saved_registers& r) noexcept {
  asm volatile("ldmxcsr %0" : : "m"(r.sse_control));
  asm volatile("fldcw %0" : : "m"(r.x87_control));
}

// Makes `r` begin start(note) on the stack of `size` bytes that ends at `top`. start never returns.
template <fiber_start start>
void prepare(saved_registers& r, std::byte* top, std::size_t) noexcept {
  auto at = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
  at -= 2 * sizeof(void*);  // aligned as after a call, from address 0: there backtraces end
  *reinterpret_cast<void**>(at + sizeof(void*)) = nullptr;
  r.sp = reinterpret_cast<void*>(at + sizeof(void*));
  r.ip = reinterpret_cast<void*>(start);
  r.bp = nullptr;
  read_fp_control(r);
}

// Saves the registers in `from` and loads those of `to`. Returns when `from` is switched to again,
// with the header that was passed then.
[[gnu::always_inline]] inline switch_header* switch_registers(saved_registers& from, saved_registers& to,
                                                              switch_header* note) noexcept {
  read_fp_control(from);
  // Each by itself: put together to one word, which has just been written in two parts, they cannot
  // be read before both parts are in the cache, and that takes longer than the rest of the switch.
  std::uint32_t sse = from.sse_control, x87 = from.x87_control;
  asm("" : "+r"(sse), "+r"(x87));
  if (sse != to.sse_control || x87 != to.x87_control) [[unlikely]]
    load_fp_control(to);
  saved_registers* left = &from;
  saved_registers* next = &to;
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, 0(%%rsi)\n\t"
      "movq %%rax, 8(%%rsi)\n\t"
      "movq %%rbp, 16(%%rsi)\n\t"
      "movq 0(%%rdx), %%rsp\n\t"
      "movq 16(%%rdx), %%rbp\n\t"
      "jmp *8(%%rdx)\n"
      "1:"
      : "+D"(note), "+S"(left), "+d"(next)
      :
      : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
        "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",
        "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
#if defined(__AVX512F__)
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
        "memory", "cc");
  return note;
}
static_assert(offsetof(saved_registers, ip) == 8 && offsetof(saved_registers, bp) == 16);

#else

struct saved_registers {
  void* sp = nullptr;  // Boost's fcontext_t
  std::uint64_t fp_control = 0;
};

// jump_fcontext keeps the control words of the floating-point unit on x86-64. On arm64 it does not:
// FPCR is kept here.
#if defined(__aarch64__)
inline std::uint64_t read_fp_control() noexcept {
  std::uint64_t v;
  asm volatile("mrs %0, fpcr" : "=r"(v));
  return v;
}
inline void load_fp_control(std::uint64_t v) noexcept { asm volatile("msr fpcr, %0" : : "r"(v)); }
#else
inline std::uint64_t read_fp_control() noexcept { return 0; }
inline void load_fp_control(std::uint64_t) noexcept {}
#endif

namespace boost_switch {
inline void arrive(boost::context::detail::transfer_t t) noexcept {
  static_cast<switch_header*>(t.data)->left->sp = t.fctx;
}
template <fiber_start start>
void begin(boost::context::detail::transfer_t t) {
  arrive(t);
  start(static_cast<switch_header*>(t.data));
}
}  // namespace boost_switch

template <fiber_start start>
void prepare(saved_registers& r, std::byte* top, std::size_t size) noexcept {
  // make_fcontext writes some of the registers only, and the stack may have been used: the frame
  // pointer would be what lies there, and a walk by frame pointers would not end.
  constexpr std::size_t largest_context = 512;
  std::memset(top - largest_context, 0, largest_context);
  r.fp_control = read_fp_control();
  r.sp = boost::context::detail::make_fcontext(top, size, boost_switch::begin<start>);
}

[[gnu::always_inline]] inline switch_header* switch_registers(saved_registers& from, saved_registers& to,
                                                              switch_header* note) noexcept {
  from.fp_control = read_fp_control();
  if (from.fp_control != to.fp_control) [[unlikely]]
    load_fp_control(to.fp_control);
  const auto t = boost::context::detail::jump_fcontext(to.sp, note);
  boost_switch::arrive(t);
  return static_cast<switch_header*>(t.data);
}

#endif

}  // namespace weft::detail
