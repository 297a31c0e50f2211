// The canonical frame address follows the frame pointer, which the callee preserves, so the
// unwinder gets from one stack to the other by the ordinary rules. gdb takes a caller at a lower
// address for a corrupt stack, except for the function name that split stacks use. So the function
// has that name. It is local to this file.
#include "runtime/call_on_stack.h"

extern "C" {
[[gnu::visibility("hidden")]] void weft_call_on_stack(void (*f)(void*), void* arg, std::byte* top);
[[gnu::visibility("hidden")]] extern const char weft_call_on_stack_end;
}

#if defined(__x86_64__)
asm(R"(
  .text
  .hidden weft_call_on_stack
  .globl weft_call_on_stack
  .hidden weft_call_on_stack_end
  .globl weft_call_on_stack_end
  .type weft_call_on_stack, @function
  .type __morestack, @function
weft_call_on_stack:
__morestack:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset 6, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register 6
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsp
  callq *%rax
  movq %rbp, %rsp
  popq %rbp
  .cfi_def_cfa 7, 8
  ret
  .cfi_endproc
weft_call_on_stack_end:
  .size weft_call_on_stack, . - weft_call_on_stack
  .size __morestack, . - __morestack
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .hidden weft_call_on_stack
  .globl weft_call_on_stack
  .hidden weft_call_on_stack_end
  .globl weft_call_on_stack_end
  .type weft_call_on_stack, %function
  .type __morestack, %function
weft_call_on_stack:
__morestack:
  .cfi_startproc
  stp x29, x30, [sp, #-16]!
  .cfi_def_cfa_offset 16
  .cfi_offset 29, -16
  .cfi_offset 30, -8
  mov x29, sp
  .cfi_def_cfa_register 29
  mov x3, x0
  mov x0, x1
  mov sp, x2
  blr x3
  mov sp, x29
  .cfi_def_cfa_register 31
  ldp x29, x30, [sp], #16
  .cfi_restore 30
  .cfi_restore 29
  .cfi_def_cfa_offset 0
  ret
  .cfi_endproc
weft_call_on_stack_end:
  .size weft_call_on_stack, . - weft_call_on_stack
  .size __morestack, . - __morestack
)");
#else
#error "call_on_stack: this machine has no version yet"
#endif

namespace weft::detail {

void call_on_stack(void (*f)(void*), void* arg, std::byte* top) { weft_call_on_stack(f, arg, top); }

bool joins_stacks(std::uintptr_t pc) noexcept {
  return pc >= reinterpret_cast<std::uintptr_t>(&weft_call_on_stack) &&
         pc < reinterpret_cast<std::uintptr_t>(&weft_call_on_stack_end);
}

}  // namespace weft::detail
