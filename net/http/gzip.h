// gzip (RFC 1952) by zlib. Without zlib make_deflater() returns null and nothing is compressed.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace weft::http::detail {

class deflater {
 public:
  enum class flush { none, all, end };
  virtual ~deflater() = default;
  // Appends to `out` what `in` makes. `all`: so that the reader can decompress all of `in`. Throws
  // std::bad_alloc.
  virtual void add(std::string_view in, flush how, std::string& out) = 0;
};

// Throws std::bad_alloc.
std::unique_ptr<deflater> make_deflater();

}  // namespace weft::http::detail
