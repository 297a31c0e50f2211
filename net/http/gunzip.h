// Decompression of gzip, by zlib. Without zlib there is none, by without_zlib.cc, and the client
// does not ask for it.
#pragma once
#include <weft/errors.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace weft::http::detail {

class gunzip {
 public:
  gunzip() = default;
  gunzip(const gunzip&) = delete;
  gunzip& operator=(const gunzip&) = delete;
  virtual ~gunzip() = default;

  // Takes from the front of `in` and fills `to`. 0 bytes: it needs more input. Returns
  // std::errc::bad_message for what is not gzip, and std::errc::not_enough_memory.
  virtual result<std::size_t> inflate(std::string_view& in, std::span<std::byte> to) = 0;
  // True at the end of a member, and before the first byte.
  virtual bool is_complete() const noexcept = 0;
};

bool has_gunzip() noexcept;
std::unique_ptr<gunzip> make_gunzip();

}  // namespace weft::http::detail
