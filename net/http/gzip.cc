#include "net/http/gzip.h"

#if __has_include(<zlib.h>)
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace weft::http::detail {

namespace {

class gzip_deflater final : public deflater {
 public:
  gzip_deflater() {
    constexpr int gzip_window = 15 + 16, memory_level = 8;
    if (deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  gzip_deflater(const gzip_deflater&) = delete;
  gzip_deflater& operator=(const gzip_deflater&) = delete;
  ~gzip_deflater() override { deflateEnd(&z_); }

  void add(std::string_view in, flush how, std::string& out) override {
    constexpr std::size_t step = 16 << 10, most = std::numeric_limits<uInt>::max();
    do {
      const std::string_view part = in.substr(0, most);
      in.remove_prefix(part.size());
      z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      z_.avail_in = static_cast<uInt>(part.size());
      const int mode = !in.empty() || how == flush::none ? Z_NO_FLUSH : how == flush::all ? Z_SYNC_FLUSH : Z_FINISH;
      do {
        const std::size_t size = out.size();
        out.resize(size + step);
        z_.next_out = reinterpret_cast<Bytef*>(out.data() + size);
        z_.avail_out = static_cast<uInt>(step);
        (void)deflate(&z_, mode);
        out.resize(size + step - z_.avail_out);
      } while (z_.avail_out == 0);
    } while (!in.empty());
  }

 private:
  z_stream z_{};
};

}  // namespace

std::unique_ptr<deflater> make_deflater() { return std::make_unique<gzip_deflater>(); }

}  // namespace weft::http::detail

#else

namespace weft::http::detail {

std::unique_ptr<deflater> make_deflater() { return nullptr; }

}  // namespace weft::http::detail
#endif
