// Bytes that came, with the memory that they are in.
//
//   while (auto got = c.receive()) if (c.write(got.value).err) break;
//
// conn::read wants a buffer for as long as it waits, which for a connection that is silent may be for hours, and makes
// the fiber's stack a page larger. What conn::receive returns has room for a small message in itself, as a string has,
// and takes a buffer when there is more.
#pragma once
#include <cstddef>
#include <cstring>
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

// Owns the memory, in any fiber or plain thread. When it is moved, what points into it points to nothing any more.
class received {
 public:
  // The most that one receive gets, in bytes.
  static constexpr std::size_t most = sizeof(detail::receive_buffer);

  // Nothing.
  received() noexcept {}
  received(received&& o) noexcept { take(o); }
  received& operator=(received&& o) noexcept {
    if (this != &o) take(o);
    return *this;
  }

  std::span<std::byte> bytes() noexcept { return {in_ ? in_->bytes : here_, size_}; }
  std::span<const std::byte> bytes() const noexcept { return {in_ ? in_->bytes : here_, size_}; }
  operator std::span<const std::byte>() const noexcept { return bytes(); }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(bytes().data()), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  friend detail::receiver;
  struct lent {
    void operator()(detail::receive_buffer* b) const noexcept;
  };
  static constexpr std::size_t room = 1024;

  void take(received& o) noexcept {
    in_ = std::move(o.in_);
    size_ = std::exchange(o.size_, 0);
    if (!in_) std::memcpy(here_, o.here_, size_);
  }

  std::byte here_[room];
  std::unique_ptr<detail::receive_buffer, lent> in_;  // null: they are here
  std::size_t size_ = 0;
};

}  // namespace weft::net
