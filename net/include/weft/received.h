// Bytes that came, in memory that the runtime lends.
//
//   while (auto got = c.receive()) if (c.write(got.value).err) break;
//
// conn::read wants a buffer for as long as it waits, which for a connection that is silent may be for hours, and makes
// the fiber's stack a page larger. conn::receive takes one when there is something to put into it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace weft::detail {
class lender;
class receive_lent;
}  // namespace weft::detail

namespace weft::net {

// Owns the memory until it goes, in any fiber or plain thread. Some hundreds may be kept at a time; beyond that each
// receive costs a system call more.
class received {
 public:
  // The most that one receive gets, in bytes.
  static constexpr std::size_t most = 4096;

  // Nothing.
  received() noexcept = default;
  received(received&& o) noexcept
      : at_(std::exchange(o.at_, nullptr)), size_(std::exchange(o.size_, 0)), id_(o.id_), of_(o.of_) {}
  received& operator=(received&& o) noexcept {
    received moved(std::move(o));
    std::swap(at_, moved.at_);
    std::swap(size_, moved.size_);
    std::swap(id_, moved.id_);
    std::swap(of_, moved.of_);
    return *this;
  }
  ~received() {
    if (at_) give_back();
  }

  // May be written to.
  std::span<std::byte> bytes() const noexcept { return {at_, size_}; }
  operator std::span<const std::byte>() const noexcept { return bytes(); }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(at_), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  friend detail::receive_lent;
  received(std::byte* at, std::uint32_t id, detail::lender* of) noexcept : at_(at), id_(id), of_(of) {}
  void give_back() noexcept;

  std::byte* at_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t id_ = 0;
  detail::lender* of_ = nullptr;  // null: of no ring
};

}  // namespace weft::net
