// Received bytes, with the memory that holds them.
//
//   while (auto got = c.receive()) if (c.write(got.value).err) break;
//
// conn::read needs a buffer during the whole wait. For a silent connection that can be hours, and
// the buffer often makes the fiber's stack a page larger. The result of conn::receive holds a small
// message in itself, as a std::string does, and takes a pooled buffer for a larger one.
//
// An object is 1 KiB large. A message of up to 1 KiB is inside it; a longer one is in a buffer of
// 4 KiB, which goes back to the pool when the object is destroyed or gets another value. So a fiber
// that waits for a message holds no buffer, and a program that keeps many messages for a long time
// copies their bytes.
#pragma once
#include <weft/detail/requirements.h>

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

// The bytes of one message. Move-only, for any fiber or plain thread. Spans and views of it are
// invalid after it is moved. No function blocks.
class received {
 public:
  // The largest number of bytes that one receive() returns.
  static constexpr std::size_t most = sizeof(weft::detail::receive_buffer);

  // Empty.
  received() noexcept {}
  received(received&& o) noexcept { take(o); }
  received& operator=(received&& o) noexcept {
    if (this != &o) take(o);
    return *this;
  }

  // Returns the bytes, valid until this object is moved or destroyed.
  std::span<std::byte> bytes() noexcept { return {in_ ? in_->bytes : here_, size_}; }
  std::span<const std::byte> bytes() const noexcept { return {in_ ? in_->bytes : here_, size_}; }
  operator std::span<const std::byte>() const noexcept { return bytes(); }
  // Returns the bytes as text, valid as long as bytes().
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(bytes().data()), size_}; }
  // Returns the number of bytes.
  std::size_t size() const noexcept { return size_; }
  // Returns true if there are no bytes.
  bool empty() const noexcept { return size_ == 0; }

 private:
  friend weft::detail::receiver;
  struct lent {
    void operator()(weft::detail::receive_buffer* b) const noexcept;
  };
  static constexpr std::size_t room = 1024;

  void take(received& o) noexcept {
    in_ = std::move(o.in_);
    size_ = std::exchange(o.size_, 0);
    if (!in_) std::memcpy(here_, o.here_, size_);
  }

  std::byte here_[room];
  std::unique_ptr<weft::detail::receive_buffer, lent> in_;  // null: they are here
  std::size_t size_ = 0;
};

}  // namespace weft::net
