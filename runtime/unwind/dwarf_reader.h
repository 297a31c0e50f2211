// The numbers of DWARF, read one after another; past the end there are only zeros and `failed`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weft::detail {

class dwarf_reader {
 public:
  explicit dwarf_reader(std::span<const std::uint8_t> bytes) noexcept : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool failed() const noexcept { return failed_; }
  bool done() const noexcept { return at_ == end_ || failed_; }
  const std::uint8_t* at() const noexcept { return at_; }
  std::span<const std::uint8_t> rest() const noexcept { return {at_, end_}; }

  template <class T>
  T fixed() noexcept {
    T v{};
    if (static_cast<std::size_t>(end_ - at_) < sizeof v) {
      fail();
      return v;
    }
    std::memcpy(&v, at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::uint8_t byte() noexcept { return fixed<std::uint8_t>(); }

  std::uint64_t uleb() noexcept {
    std::uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t b = byte();
      if (shift < 64) v |= std::uint64_t{b & 0x7fu} << shift;
      if (!(b & 0x80) || failed_) return v;
    }
  }
  std::int64_t sleb() noexcept {
    std::uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t b = byte();
      if (shift < 64) v |= std::uint64_t{b & 0x7fu} << shift;
      if (b & 0x80 && !failed_) continue;
      if (b & 0x40 && shift + 7 < 64) v |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::int64_t>(v);
    }
  }
  std::span<const std::uint8_t> block(std::uint64_t size) noexcept {
    if (static_cast<std::uint64_t>(end_ - at_) < size) {
      fail();
      return {};
    }
    const std::span<const std::uint8_t> b{at_, static_cast<std::size_t>(size)};
    at_ += size;
    return b;
  }
  void skip(std::uint64_t size) noexcept { block(size); }

 private:
  void fail() noexcept {
    failed_ = true;
    at_ = end_;
  }
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

}  // namespace weft::detail
