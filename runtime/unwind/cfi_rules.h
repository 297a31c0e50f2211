// Reading .eh_frame: how each register of a caller is available at one place of a function.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "runtime/unwind/cfi.h"

#if defined(__has_attribute) && __has_attribute(no_sanitize)
#define WEFT_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define WEFT_NO_SANITIZE
#endif

namespace weft::detail {

using dwarf_code = std::span<const std::uint8_t>;

struct register_rule {
  enum { same, undefined, at_offset, is_offset, in_register, at_expression, is_expression } kind = same;
  std::int64_t offset = 0;  // from the CFA
  std::uint64_t reg = 0;
  dwarf_code code;
};

struct cfa_rule {
  enum { none, register_offset, expression } kind = none;
  std::uint64_t reg = 0;
  std::int64_t offset = 0;
  dwarf_code code;
};

struct frame_rules {
  cfa_rule cfa;
  std::array<register_rule, frame_registers::count> registers;
  bool signal_frame = false;
};

// The rules that hold just before the instruction at `pc`. False if nothing is written about it.
bool find_rules(std::uint64_t pc, frame_rules& rules) noexcept;

}  // namespace weft::detail
