// Reading and writing in large pieces what is wanted in small ones. Go's bufio.
//
//   weft::bufio::reader in(conn);
//   while (auto line = in.read_line()) ...
//
// Over anything with read(std::span<std::byte>) or write(std::span<const std::byte>) as a connection has. One fiber
// at a time.
#pragma once
#include <weft/errors.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::bufio {

inline constexpr std::size_t default_size = 4096;

template <class Stream>
class reader {
 public:
  explicit reader(Stream from, std::size_t size = default_size)
      : from_(std::move(from)), buf_(std::max<std::size_t>(size, 16)) {}

  // What is there, else what one read of the stream gives.
  result<std::size_t> read(std::span<std::byte> to) {
    if (to.empty()) return {};
    if (begin_ == end_) {
      if (to.size() >= buf_.size()) return from_.read(to);
      if (const std::error_code e = fill()) return {0, e};
    }
    const std::size_t n = std::min(to.size(), end_ - begin_);
    std::memcpy(to.data(), &buf_[begin_], n);
    begin_ += n;
    return {n, {}};
  }
  // All of it; errc::eof if the stream ends before.
  // With an error, value says how much was read.
  result<std::size_t> read_exact(std::span<std::byte> to) {
    std::size_t n = 0;
    while (n < to.size()) {
      auto [got, err] = read(to.subspan(n));
      if (err) return {n, err};
      n += got;
    }
    return {n, {}};
  }
  // Up to and with `end`. At the end of the stream what was left, with errc::eof.
  result<std::string> read_until(char end) {
    std::string all;
    for (;;) {
      const char* const at = reinterpret_cast<const char*>(buf_.data()) + begin_;
      const auto* hit = static_cast<const char*>(std::memchr(at, end, end_ - begin_));
      const std::size_t n = hit ? static_cast<std::size_t>(hit - at) + 1 : end_ - begin_;
      all.append(at, n);
      begin_ += n;
      if (hit) return {std::move(all), {}};
      if (const std::error_code e = fill()) return {std::move(all), e};
    }
  }
  // A line without its end, "\n" or "\r\n". A last line without one is a line too; errc::eof after that.
  result<std::string> read_line() {
    auto [line, err] = read_until('\n');
    if (err && (err != errc::eof || line.empty())) return {std::move(line), err};
    if (!line.empty() && line.back() == '\n') line.pop_back();
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return {std::move(line), {}};
  }
  // The next n bytes, which stay. Fewer, and an error, at the end of the stream; valid until the next call.
  // std::errc::no_buffer_space if the buffer is smaller.
  result<std::span<const std::byte>> peek(std::size_t n) {
    if (n > buf_.size()) return {{}, make_error_code(std::errc::no_buffer_space)};
    while (end_ - begin_ < n)
      if (const std::error_code e = fill()) return {std::span(buf_).subspan(begin_, end_ - begin_), e};
    return {std::span(buf_).subspan(begin_, n), {}};
  }
  std::size_t buffered() const noexcept { return end_ - begin_; }
  Stream& stream() noexcept { return from_; }

 private:
  std::error_code fill() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == buf_.size()) {
      std::memmove(buf_.data(), &buf_[begin_], end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    auto [n, err] = from_.read(std::span(buf_).subspan(end_));
    end_ += n;
    return err;
  }

  Stream from_;
  std::vector<std::byte> buf_;
  std::size_t begin_ = 0, end_ = 0;
};

template <class Stream>
class writer {
 public:
  explicit writer(Stream to, std::size_t size = default_size)
      : to_(std::move(to)), size_(std::max<std::size_t>(size, 1)) {
    buf_.reserve(size_);
  }

  // Kept until there is a bufferful, or flush(). Once something has failed, everything does.
  std::error_code write(std::span<const std::byte> data) {
    if (error_) return error_;
    if (buf_.size() + data.size() > size_) {
      if (flush()) return error_;
      if (data.size() >= size_) return error_ = to_.write(data).err;
    }
    buf_.insert(buf_.end(), data.begin(), data.end());
    return {};
  }
  std::error_code write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  std::error_code flush() {
    if (error_ || buf_.empty()) return error_;
    error_ = to_.write(std::span<const std::byte>(buf_)).err;
    buf_.clear();
    return error_;
  }
  std::size_t buffered() const noexcept { return buf_.size(); }
  Stream& stream() noexcept { return to_; }

 private:
  Stream to_;
  const std::size_t size_;
  std::vector<std::byte> buf_;
  std::error_code error_;
};

}  // namespace weft::bufio
