#include "runtime/unwind/cfi.h"

#include <cstring>

#include "runtime/unwind/cfi_rules.h"
#include "runtime/unwind/dwarf_expression.h"

namespace weft::detail {
namespace {

// A function compiled without unwind tables, but perhaps with a frame pointer.
bool step_by_frame_pointer(frame_registers& r, const stack_image& stack) noexcept {
  const std::uint64_t frame = r[frame_registers::bp];
  std::uint64_t caller_frame = 0, return_address = 0;
  if (frame < r[frame_registers::sp] || frame % 8 != 0) return false;
  if (!stack.read(frame, caller_frame) || !stack.read(frame + 8, return_address)) return false;
  r[frame_registers::bp] = caller_frame;
  r[frame_registers::pc] = return_address;
  r[frame_registers::sp] = frame + 16;
  return true;
}

// The CFA: the stack pointer of the caller before its call.
bool frame_address(const frame_rules& rules, const frame_registers& r, const stack_image& stack,
                   std::uint64_t& cfa) noexcept {
  if (rules.cfa.kind == cfa_rule::expression) return evaluate(rules.cfa.code, r, stack, nullptr, cfa);
  if (rules.cfa.kind != cfa_rule::register_offset || rules.cfa.reg >= frame_registers::count) return false;
  cfa = r[rules.cfa.reg] + static_cast<std::uint64_t>(rules.cfa.offset);
  return true;
}

bool restore(std::size_t i, const register_rule& rule, const frame_registers& old, std::uint64_t cfa,
             const stack_image& stack, std::uint64_t& value) noexcept {
  switch (rule.kind) {
    case register_rule::same: value = old[i]; return true;
    case register_rule::undefined: value = 0; return i != frame_registers::pc;
    case register_rule::at_offset: return stack.read(cfa + static_cast<std::uint64_t>(rule.offset), value);
    case register_rule::is_offset: value = cfa + static_cast<std::uint64_t>(rule.offset); return true;
    case register_rule::in_register:
      if (rule.reg >= frame_registers::count) return false;
      value = old[rule.reg];
      return true;
    case register_rule::at_expression: {
      std::uint64_t address = 0;
      return evaluate(rule.code, old, stack, &cfa, address) && stack.read(address, value);
    }
    case register_rule::is_expression: return evaluate(rule.code, old, stack, &cfa, value);
  }
  return false;
}

}  // namespace

[[gnu::noinline]] WEFT_NO_SANITIZE bool stack_image::read(std::uintptr_t address, std::uint64_t& value) const noexcept {
  if (address < low || address > high || high - address < sizeof value) return false;
  // By bytes that are never looked at by a sanitizer: parts of a frame are poisoned, or written
  // just now.
  const volatile std::byte* from = bytes + (address - low);
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < sizeof v; ++i) v |= std::uint64_t{static_cast<std::uint8_t>(from[i])} << (8 * i);
  value = v;
  return true;
}

bool step_up(frame_registers& r, pc_kind& kind, const stack_image& stack) noexcept {
#if !defined(__x86_64__)
  return false;
#endif
  const std::uint64_t old_sp = r[frame_registers::sp];
  frame_rules rules;
  const std::uint64_t pc = r[frame_registers::pc] - (kind == pc_kind::return_address ? 1 : 0);
  if (!find_rules(pc, rules)) {
    if (!step_by_frame_pointer(r, stack)) return false;
    frame_rules ignored;
    kind = pc_kind::return_address;
    return find_rules(r[frame_registers::pc] - 1, ignored);  // else it was no frame pointer
  }
  const frame_registers old = r;
  std::uint64_t cfa = 0;
  if (!frame_address(rules, old, stack, cfa) || cfa <= old_sp) return false;
  r[frame_registers::sp] = cfa;
  for (std::size_t i = 0; i < frame_registers::count; ++i) {
    if (i == frame_registers::sp && rules.registers[i].kind == register_rule::same) continue;
    std::uint64_t value = 0;
    if (!restore(i, rules.registers[i], old, cfa, stack, value)) return false;
    r[i] = value;
  }
  kind = rules.signal_frame ? pc_kind::exact : pc_kind::return_address;
  return r[frame_registers::pc] != 0;
}

}  // namespace weft::detail
