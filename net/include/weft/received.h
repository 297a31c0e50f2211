// Bytes that came, in memory that the runtime lends.
//
//   while (auto got = c.receive()) if (c.write(got.value).err) break;
//
// conn::read wants a buffer for as long as it waits, which for a connection that is silent may be for hours, and makes
// the fiber's stack a page larger. conn::receive takes one when there is something to put into it.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace weft::detail {
struct receive_buffer {
  std::byte bytes[4096];
};
class receiver;
}  // namespace weft::detail

namespace weft::net {

// Owns the memory until it goes, in any fiber or plain thread.
class received {
 public:
  // The most that one receive gets, in bytes.
  static constexpr std::size_t most = sizeof(detail::receive_buffer);

  // Nothing.
  received() noexcept = default;
  received(received&& o) noexcept : in_(std::move(o.in_)), size_(std::exchange(o.size_, 0)) {}
  received& operator=(received&& o) noexcept {
    received moved(std::move(o));
    std::swap(in_, moved.in_);
    std::swap(size_, moved.size_);
    return *this;
  }

  // May be written to.
  std::span<std::byte> bytes() const noexcept {
    return in_ ? std::span(in_->bytes).first(size_) : std::span<std::byte>();
  }
  operator std::span<const std::byte>() const noexcept { return bytes(); }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(bytes().data()), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  friend detail::receiver;
  struct lent {
    void operator()(detail::receive_buffer* b) const noexcept;
  };

  std::unique_ptr<detail::receive_buffer, lent> in_;
  std::size_t size_ = 0;
};

}  // namespace weft::net
