// DWARF expressions, as far as unwind tables use them.
#pragma once
#include <cstdint>

#include "runtime/unwind/cfi_rules.h"

namespace weft::detail {

// The value of a DWARF expression; `first`, if any, is on its stack when it begins.
bool evaluate(dwarf_code code, const frame_registers& r, const stack_image& stack, const std::uint64_t* first,
              std::uint64_t& value) noexcept;

}  // namespace weft::detail
