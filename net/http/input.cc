#include "net/http/input.h"

#include <algorithm>

namespace weft::http::detail {

template <class Read>
std::error_code input::fill_by(std::size_t room, Read read) {
  make_room(room);
  auto [n, err] = read(std::as_writable_bytes(std::span(bytes_.get() + end_, size_ - end_)));
  end_ += n;
  return err;
}

void input::make_room(std::size_t room) {
  const std::size_t left = end_ - begin_, wanted = left + room;
  if (wanted > size_) {
    const std::size_t size = std::max(left + left / 2, wanted);
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    std::copy_n(bytes_.get() + begin_, left, larger.get());
    bytes_ = std::move(larger);
    size_ = size;
  } else if (begin_ > 0) {
    std::copy_n(bytes_.get() + begin_, left, bytes_.get());  // to the left
  }
  begin_ = 0;
  end_ = left;
}

std::error_code input::fill(stream& c, std::size_t room) {
  return fill_by(room, [&](std::span<std::byte> to) { return c.read(to); });
}

std::error_code input::fill(const context& ctx, stream& c) {
  return fill_by(read_size, [&](std::span<std::byte> to) { return c.read(ctx, to); });
}

std::error_code input::wait(stream& c) {
  struct appender final : stream::sink {
    input& in;
    explicit appender(input& to) : in(to) {}
    void operator()(std::span<const std::byte> data) override {
      in.make_room(data.size());
      std::copy_n(reinterpret_cast<const char*>(data.data()), data.size(), in.bytes_.get() + in.end_);
      in.end_ += data.size();
    }
  } to(*this);
  return c.receive(to);
}

void input::release() noexcept {
  bytes_.reset();
  size_ = begin_ = end_ = 0;
}

}  // namespace weft::http::detail
