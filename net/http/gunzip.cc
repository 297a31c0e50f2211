#include "net/http/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace weft::http::detail {
namespace {

constexpr int gzip_only = 16 + MAX_WBITS;

class zlib_gunzip final : public gunzip {
 public:
  zlib_gunzip() {
    if (inflateInit2(&z_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~zlib_gunzip() override { inflateEnd(&z_); }

  result<std::size_t> inflate(std::string_view& in, std::span<std::byte> to) override {
    const std::size_t room = std::min<std::size_t>(to.size(), std::numeric_limits<uInt>::max());
    z_.next_out = reinterpret_cast<Bytef*>(to.data());
    z_.avail_out = static_cast<uInt>(room);
    while (z_.avail_out > 0 && (!in.empty() || has_output_)) {
      if (member_ended_) {  // members may follow each other (RFC 1952 section 2.2)
        inflateReset(&z_);
        member_ended_ = false;
      }
      z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
      z_.avail_in = static_cast<uInt>(std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max()));
      const uInt had = z_.avail_in;
      const int got = ::inflate(&z_, Z_NO_FLUSH);
      in.remove_prefix(had - z_.avail_in);
      began_ = true;
      has_output_ = z_.avail_out == 0;
      if (got == Z_STREAM_END) {
        member_ended_ = true;
        has_output_ = false;
      } else if (got == Z_MEM_ERROR) {
        return {0, make_error_code(std::errc::not_enough_memory)};
      } else if (got == Z_BUF_ERROR) {
        has_output_ = false;
      } else if (got != Z_OK) {
        return {0, make_error_code(std::errc::bad_message)};
      }
    }
    return {room - z_.avail_out, {}};
  }

  bool is_complete() const noexcept override { return !began_ || member_ended_; }

 private:
  z_stream z_{};
  bool began_ = false, member_ended_ = false;
  bool has_output_ = false;  // the last call filled the buffer
};

}  // namespace

bool has_gunzip() noexcept { return true; }
std::unique_ptr<gunzip> make_gunzip() { return std::make_unique<zlib_gunzip>(); }

}  // namespace weft::http::detail
