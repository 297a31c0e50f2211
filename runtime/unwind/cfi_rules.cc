#include "runtime/unwind/cfi_rules.h"

#include <cstddef>

#include "runtime/unwind/dwarf_reader.h"

// The C++ runtime's index of all loaded unwind tables. Takes no lock with glibc 2.35 and later.
extern "C" {
struct dwarf_eh_bases {
  void* text;
  void* data;
  void* function;
};
const void* _Unwind_Find_FDE(void* pc, dwarf_eh_bases* bases);
}

namespace weft::detail {
namespace {

// The part that many functions share, with the place where its own instructions begin.
struct common_info {
  std::uint64_t code_align = 1;
  std::int64_t data_align = 1;
  std::uint8_t pointer_encoding = 0;
  bool has_augmentation = false;
  bool signal_frame = false;
  dwarf_code code;
};

std::uint64_t encoded_size(std::uint8_t encoding) noexcept {
  switch (encoding & 0x0f) {
    case 0x02:
    case 0x0a: return 2;
    case 0x03:
    case 0x0b: return 4;
    default: return 8;
  }
}

// An entry of the table, without its length; empty for the 64-bit form, which no linker makes.
dwarf_code entry_at(const std::uint8_t* at) noexcept {
  std::uint32_t size = 0;
  std::memcpy(&size, at, sizeof size);
  if (size == 0xffffffffu) return {};
  return {at + sizeof size, size};
}

bool read_common(const std::uint8_t* at, common_info& info) noexcept {
  dwarf_reader in(entry_at(at));
  in.fixed<std::uint32_t>();  // its id
  const std::uint8_t version = in.byte();
  const char* augmentation = reinterpret_cast<const char*>(in.at());
  while (!in.done() && in.byte() != 0) {
  }
  info.code_align = in.uleb();
  info.data_align = in.sleb();
  if (version == 1) in.byte();
  else in.uleb();
  if (*augmentation == 'z') {
    info.has_augmentation = true;
    dwarf_reader data(in.block(in.uleb()));
    for (const char* c = augmentation + 1; *c; ++c) {
      if (*c == 'R') info.pointer_encoding = data.byte();
      else if (*c == 'P') data.skip(encoded_size(data.byte()));
      else if (*c == 'L') data.byte();
      else if (*c == 'S') info.signal_frame = true;
    }
  } else if (*augmentation) {
    return false;
  }
  info.code = in.rest();
  return !in.failed();
}

// Runs call frame instructions up to a place in the function.
class rule_machine {
 public:
  rule_machine(const common_info& info, std::uint64_t function, std::uint64_t pc, frame_rules& rules) noexcept
      : info_(info), at_(function), pc_(pc), rules_(rules) {}

  bool run_common() noexcept {
    const bool ok = run(info_.code);
    initial_ = rules_;
    return ok;
  }
  bool run(dwarf_code code) noexcept {
    dwarf_reader in(code);
    while (!in.done() && at_ <= pc_)
      if (!one(in)) return false;
    return !in.failed();
  }

 private:
  static constexpr std::size_t depth_max = 4;

  bool one(dwarf_reader& in) noexcept {
    const std::uint8_t op = in.byte();
    const std::uint8_t low = op & 0x3f;
    switch (op & 0xc0) {
      case 0x40: at_ += low * info_.code_align; return true;
      case 0x80: at_offset(low, scaled(in.uleb())); return true;
      case 0xc0: restore(low); return true;
      default: return low < 0x10 ? plain(low, in) : extended(low, in);
    }
  }

  bool plain(std::uint8_t op, dwarf_reader& in) noexcept {
    switch (op) {
      case 0x00: return true;  // nop
      case 0x02: at_ += in.byte() * info_.code_align; return true;
      case 0x03: at_ += in.fixed<std::uint16_t>() * info_.code_align; return true;
      case 0x04: at_ += in.fixed<std::uint32_t>() * info_.code_align; return true;
      case 0x05: {
        const auto reg = in.uleb();
        at_offset(reg, scaled(in.uleb()));
        return true;
      }
      case 0x06: restore(in.uleb()); return true;
      case 0x07: set(in.uleb(), {.kind = register_rule::undefined}); return true;
      case 0x08: set(in.uleb(), {}); return true;
      case 0x09: {
        const auto reg = in.uleb();
        set(reg, {.kind = register_rule::in_register, .reg = in.uleb()});
        return true;
      }
      case 0x0a:
        if (depth_ == depth_max) return false;
        saved_[depth_++] = rules_;
        return true;
      case 0x0b:
        if (depth_ == 0) return false;
        rules_ = saved_[--depth_];
        return true;
      case 0x0c: {
        const auto reg = in.uleb();
        define(reg, static_cast<std::int64_t>(in.uleb()));
        return true;
      }
      case 0x0d: rules_.cfa.reg = in.uleb(); return true;
      case 0x0e: rules_.cfa.offset = static_cast<std::int64_t>(in.uleb()); return true;
      case 0x0f: rules_.cfa = {.kind = cfa_rule::expression, .code = in.block(in.uleb())}; return true;
      default: return false;  // set_loc: no compiler writes it here
    }
  }

  bool extended(std::uint8_t op, dwarf_reader& in) noexcept {
    if (op == 0x2e) {  // the size of pushed arguments: not used
      in.uleb();
      return true;
    }
    const std::uint64_t reg = in.uleb();
    switch (op) {
      case 0x10: set(reg, {.kind = register_rule::at_expression, .code = in.block(in.uleb())}); return true;
      case 0x11: at_offset(reg, in.sleb() * info_.data_align); return true;
      case 0x12: define(reg, in.sleb() * info_.data_align); return true;
      case 0x13: rules_.cfa.offset = static_cast<std::int64_t>(reg) * info_.data_align; return true;
      case 0x14: set(reg, {.kind = register_rule::is_offset, .offset = scaled(in.uleb())}); return true;
      case 0x15: set(reg, {.kind = register_rule::is_offset, .offset = in.sleb() * info_.data_align}); return true;
      case 0x16: set(reg, {.kind = register_rule::is_expression, .code = in.block(in.uleb())}); return true;
      default: return false;
    }
  }

  std::int64_t scaled(std::uint64_t v) const noexcept { return static_cast<std::int64_t>(v) * info_.data_align; }
  void define(std::uint64_t reg, std::int64_t offset) noexcept {
    rules_.cfa = {.kind = cfa_rule::register_offset, .reg = reg, .offset = offset};
  }
  void set(std::uint64_t reg, const register_rule& rule) noexcept {
    if (reg < frame_registers::count) rules_.registers[reg] = rule;  // vector registers and others do not matter
  }
  void at_offset(std::uint64_t reg, std::int64_t offset) noexcept {
    set(reg, {.kind = register_rule::at_offset, .offset = offset});
  }
  void restore(std::uint64_t reg) noexcept {
    if (reg < frame_registers::count) rules_.registers[reg] = initial_.registers[reg];
  }

  const common_info& info_;
  std::uint64_t at_;
  const std::uint64_t pc_;
  frame_rules& rules_;
  frame_rules initial_;
  std::array<frame_rules, depth_max> saved_;
  std::size_t depth_ = 0;
};

}  // namespace

bool find_rules(std::uint64_t pc, frame_rules& rules) noexcept {
  dwarf_eh_bases bases{};
  const auto* fde = static_cast<const std::uint8_t*>(_Unwind_Find_FDE(reinterpret_cast<void*>(pc), &bases));
  if (!fde) return false;
  dwarf_reader in(entry_at(fde));
  const std::uint8_t* id_field = in.at();
  const std::uint32_t back = in.fixed<std::uint32_t>();
  common_info info;
  if (in.failed() || !read_common(id_field - back, info)) return false;
  in.skip(2 * encoded_size(info.pointer_encoding));  // where the function begins and how long it is
  if (info.has_augmentation) in.skip(in.uleb());
  rules.signal_frame = info.signal_frame;
  rule_machine machine(info, reinterpret_cast<std::uint64_t>(bases.function), pc, rules);
  return machine.run_common() && machine.run(in.rest());
}

}  // namespace weft::detail
