// DWARF expressions, as far as unwind tables use them: procedure linkage tables, realigned
// stacks, signal frames.
#include "runtime/unwind/dwarf_expression.h"

#include "runtime/unwind/dwarf_reader.h"

namespace weft::detail {
namespace {

class expression_machine {
 public:
  expression_machine(const frame_registers& r, const stack_image& stack) noexcept : r_(r), image_(stack) {}

  void push(std::uint64_t v) noexcept {
    if (depth_ == values_.size()) ok_ = false;
    else values_[depth_++] = v;
  }
  std::uint64_t pop() noexcept {
    if (depth_ > 0) return values_[--depth_];
    ok_ = false;
    return 0;
  }
  bool ok() const noexcept { return ok_; }

  bool one(dwarf_reader& in) noexcept {
    const std::uint8_t op = in.byte();
    if (op >= 0x30 && op <= 0x4f) push(op - 0x30u);                                 // a small number
    else if (op >= 0x70 && op <= 0x8f) push_register(op - 0x70u, in.sleb());        // register + offset
    else if (op >= 0x08 && op <= 0x16) return constant_or_stack(op, in);
    else if (op == 0x23) push(pop() + in.uleb());                                   // + constant
    else if (op == 0x06) dereference();
    else return arithmetic(op);
    return ok_;
  }

 private:
  void push_register(std::uint64_t reg, std::int64_t offset) noexcept {
    if (reg >= frame_registers::count) ok_ = false;
    else push(r_[reg] + static_cast<std::uint64_t>(offset));
  }
  void dereference() noexcept {
    std::uint64_t v = 0;
    if (!image_.read(pop(), v)) ok_ = false;
    push(v);
  }
  template <class T>
  bool push_signed(dwarf_reader& in) noexcept {
    push(static_cast<std::uint64_t>(static_cast<std::int64_t>(in.fixed<T>())));
    return ok_;
  }
  bool constant_or_stack(std::uint8_t op, dwarf_reader& in) noexcept {
    switch (op) {
      case 0x08: push(in.byte()); return ok_;
      case 0x09: return push_signed<std::int8_t>(in);
      case 0x0a: push(in.fixed<std::uint16_t>()); return ok_;
      case 0x0b: return push_signed<std::int16_t>(in);
      case 0x0c: push(in.fixed<std::uint32_t>()); return ok_;
      case 0x0d: return push_signed<std::int32_t>(in);
      case 0x0e:
      case 0x0f: push(in.fixed<std::uint64_t>()); return ok_;
      case 0x10: push(in.uleb()); return ok_;
      case 0x11: push(static_cast<std::uint64_t>(in.sleb())); return ok_;
      case 0x12: {
        const std::uint64_t v = pop();
        push(v);
        push(v);
        return ok_;
      }
      case 0x13: pop(); return ok_;
      case 0x16: {
        const std::uint64_t a = pop(), b = pop();
        push(a);
        push(b);
        return ok_;
      }
      default: return false;
    }
  }
  bool arithmetic(std::uint8_t op) noexcept {
    const std::uint64_t b = pop(), a = pop();
    const auto sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
    switch (op) {
      case 0x1a: push(a & b); break;
      case 0x1c: push(a - b); break;
      case 0x1e: push(a * b); break;
      case 0x21: push(a | b); break;
      case 0x22: push(a + b); break;
      case 0x24: push(b < 64 ? a << b : 0); break;
      case 0x25: push(b < 64 ? a >> b : 0); break;
      case 0x27: push(a ^ b); break;
      case 0x29: push(sa == sb); break;
      case 0x2a: push(sa >= sb); break;
      case 0x2b: push(sa > sb); break;
      case 0x2c: push(sa <= sb); break;
      case 0x2d: push(sa < sb); break;
      case 0x2e: push(sa != sb); break;
      default: return false;
    }
    return ok_;
  }

  const frame_registers& r_;
  const stack_image& image_;
  std::array<std::uint64_t, 32> values_{};
  std::size_t depth_ = 0;
  bool ok_ = true;
};

}  // namespace

bool evaluate(dwarf_code code, const frame_registers& r, const stack_image& stack, const std::uint64_t* first,
              std::uint64_t& value) noexcept {
  expression_machine machine(r, stack);
  if (first) machine.push(*first);
  dwarf_reader in(code);
  while (!in.done())
    if (!machine.one(in)) return false;
  value = machine.pop();
  return machine.ok() && !in.failed();
}

}  // namespace weft::detail
