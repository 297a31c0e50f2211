// Bytes that came on a connection and are not parsed yet.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include "net/http/stream.h"

namespace weft::http::detail {

class input {
 public:
  // The least room for one read.
  static constexpr std::size_t read_size = 4096;

  std::string_view rest() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) noexcept { begin_ += n; }
  // One read of at least `room` bytes of buffer. Blocks until something comes.
  std::error_code fill(stream& c, std::size_t room = read_size);
  std::error_code fill(const context& ctx, stream& c);
  // As fill(), without a buffer while it blocks: for a connection that may be silent for long.
  std::error_code wait(stream& c);
  // Frees the buffer. Only without a rest.
  void release() noexcept;

 private:
  template <class Read>
  std::error_code fill_by(std::size_t room, Read read);
  void make_room(std::size_t room);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace weft::http::detail
