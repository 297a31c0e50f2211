// Buffered reading and writing: few large system calls for many small pieces. Go's bufio.
//
//   weft::bufio::reader in(conn);
//   while (auto line = in.read_line()) ...
//
//   weft::bufio::writer out(conn);
//   for (const row& r : rows) out.write(r.text());   // an error stays: checking flush() is enough
//   if (std::error_code e = out.flush()) ...
//
// For each stream with read(std::span<std::byte>) or write(std::span<const std::byte>) as a
// connection has. One fiber or plain thread at a time uses an object. Functions block and fail as
// the stream does; with ctx also by ctx's error, if the stream's functions take a context. A value
// beside an error has what was read before it.
//
// A reader may have read more from its stream than it has returned. So one reader is used for the
// whole life of a stream, and nothing else reads from that stream.
//
// A reader and a writer own a copy of the stream, which for a connection is a handle: both may be
// made of one connection, and two fibers may use them, one the reader and one the writer.
//
//   weft::bufio::reader in(conn);
//   weft::bufio::writer out(conn);
//   for (;;) {
//     auto [line, err] = in.read_line();
//     if (err) return err == weft::errc::eof ? std::error_code() : err;
//     out.write(answer_to(line));
//     if (in.buffered() == 0)                 // no further request has come: send the answers
//       if (std::error_code e = out.flush()) return e;
//   }
//
// A line has a bound (1 MiB by default), so that a peer that never sends its end cannot use up the
// memory. The buffers are allocated with the objects: 4 KiB each by default, whether or not they
// are used. For a connection that is silent for hours, conn::receive() needs no buffer.
//
// A writer collects small pieces; a piece of the buffer's size goes to the stream directly.
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

namespace weft {
class context;
}

namespace weft::bufio {
namespace detail {

// The error of a context, if there is one. For functions with and without a context.
template <class... Context>
std::error_code error_of(const Context&... ctx) {
  std::error_code e;
  ((e = ctx.err()), ...);
  return e;
}

}  // namespace detail

// The default size of a buffer, in bytes.
inline constexpr std::size_t default_size = 4096;
// The longest line, in bytes with its end, that a reader returns if its constructor is given no
// other bound.
inline constexpr std::size_t default_max_line = 1 << 20;

// Reads `Stream` through a buffer. Go's bufio.Reader.
template <class Stream>
class reader {
 public:
  // `size`: of the buffer, in bytes, at least 16. `max_line`: the bound of read_until() and
  // read_line(), in bytes.
  explicit reader(Stream from, std::size_t size = default_size, std::size_t max_line = default_max_line)
      : from_(std::move(from)), buf_(std::max<std::size_t>(size, 16)), max_line_(max_line) {}

  // Returns buffered bytes; if there are none, blocks for one read of the stream. Go's Read.
  result<std::size_t> read(std::span<std::byte> to) { return read_some(to); }
  result<std::size_t> read(const context& ctx, std::span<std::byte> to) { return read_some(to, ctx); }
  // Blocks until `to` is full. Errors: errc::eof if the stream ends before, the stream's; the value
  // is the number of bytes that were read. Go's io.ReadFull.
  result<std::size_t> read_exact(std::span<std::byte> to) { return read_full(to); }
  result<std::size_t> read_exact(const context& ctx, std::span<std::byte> to) { return read_full(to, ctx); }
  // Returns all bytes up to and including `end`. At the end of the stream: the rest, with
  // errc::eof. If there is no `end` in max_line bytes: these bytes, with std::errc::message_size;
  // the next call continues after them. Blocks. Go's ReadString.
  result<std::string> read_until(char end) { return read_to(end); }
  result<std::string> read_until(const context& ctx, char end) { return read_to(end, ctx); }
  // Returns a line without its end, "\n" or "\r\n". A last line without an end is returned too;
  // errc::eof after it. Blocks. Go's ReadLine.
  result<std::string> read_line() { return without_end(read_until('\n')); }
  result<std::string> read_line(const context& ctx) { return without_end(read_until(ctx, '\n')); }
  // Returns the next n bytes, which stay in the buffer, valid until the next call. At the end of
  // the stream: fewer, with an error. std::errc::no_buffer_space if the buffer is smaller than n.
  // Blocks. Go's Peek.
  result<std::span<const std::byte>> peek(std::size_t n) { return peek_some(n); }
  result<std::span<const std::byte>> peek(const context& ctx, std::size_t n) { return peek_some(n, ctx); }
  // Returns the number of bytes in the buffer. Does not block.
  std::size_t buffered() const noexcept { return end_ - begin_; }
  // Returns the stream. Reading it directly passes by the bytes in the buffer.
  Stream& stream() noexcept { return from_; }

 private:
  // Each with a context or without one.
  template <class... Context>
  result<std::size_t> read_some(std::span<std::byte> to, const Context&... ctx) {
    if (const std::error_code e = detail::error_of(ctx...)) return {0, e};
    if (to.empty()) return {};
    if (begin_ == end_) {
      if (to.size() >= buf_.size()) return from_.read(ctx..., to);
      if (const std::error_code e = fill(ctx...)) return {0, e};
    }
    const std::size_t n = std::min(to.size(), end_ - begin_);
    std::memcpy(to.data(), &buf_[begin_], n);
    begin_ += n;
    return {n, {}};
  }
  template <class... Context>
  result<std::size_t> read_full(std::span<std::byte> to, const Context&... ctx) {
    std::size_t n = 0;
    while (n < to.size()) {
      auto [got, err] = read_some(to.subspan(n), ctx...);
      if (err) return {n, err};
      n += got;
    }
    return {n, {}};
  }
  template <class... Context>
  result<std::string> read_to(char end, const Context&... ctx) {
    std::string all;
    if (const std::error_code e = detail::error_of(ctx...)) return {std::move(all), e};
    for (;;) {
      const char* const at = reinterpret_cast<const char*>(buf_.data()) + begin_;
      const auto* hit = static_cast<const char*>(std::memchr(at, end, end_ - begin_));
      const std::size_t wanted = hit ? static_cast<std::size_t>(hit - at) + 1 : end_ - begin_;
      const std::size_t n = std::min(wanted, max_line_ - all.size());
      all.append(at, n);
      begin_ += n;
      if (n < wanted) return {std::move(all), make_error_code(std::errc::message_size)};
      if (hit) return {std::move(all), {}};
      if (const std::error_code e = fill(ctx...)) return {std::move(all), e};
    }
  }
  static result<std::string> without_end(result<std::string> line) {
    auto& [text, err] = line;
    if (err && (err != errc::eof || text.empty())) return line;
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (!text.empty() && text.back() == '\r') text.pop_back();
    return {std::move(text), {}};
  }
  template <class... Context>
  result<std::span<const std::byte>> peek_some(std::size_t n, const Context&... ctx) {
    if (n > buf_.size()) return {{}, make_error_code(std::errc::no_buffer_space)};
    if (const std::error_code e = detail::error_of(ctx...)) return {{}, e};
    while (end_ - begin_ < n)
      if (const std::error_code e = fill(ctx...)) return {std::span(buf_).subspan(begin_, end_ - begin_), e};
    return {std::span(buf_).subspan(begin_, n), {}};
  }
  template <class... Context>
  std::error_code fill(const Context&... ctx) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == buf_.size()) {
      std::memmove(buf_.data(), &buf_[begin_], end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    auto [n, err] = from_.read(ctx..., std::span(buf_).subspan(end_));
    end_ += n;
    return err;
  }

  Stream from_;
  std::vector<std::byte> buf_;
  std::size_t max_line_;
  std::size_t begin_ = 0, end_ = 0;
};

// Writes to `Stream` through a buffer. The destructor does not flush. Go's bufio.Writer.
template <class Stream>
class writer {
 public:
  // `size`: of the buffer, in bytes.
  explicit writer(Stream to, std::size_t size = default_size)
      : to_(std::move(to)), size_(std::max<std::size_t>(size, 1)) {
    buf_.reserve(size_);
  }

  // Puts data into the buffer; blocks to write the buffer to the stream when it is full. After an
  // error of the stream every later call returns that error. Go's Write.
  std::error_code write(std::span<const std::byte> data) { return put(data, false); }
  std::error_code write(const context& ctx, std::span<const std::byte> data) { return put(data, false, ctx); }
  std::error_code write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  std::error_code write(const context& ctx, std::string_view text) {
    return write(ctx, std::as_bytes(std::span(text)));
  }
  // Blocks until the buffer is written to the stream. Errors: the stream's, or that of an earlier
  // call. Go's Flush.
  std::error_code flush() { return put({}, true); }
  std::error_code flush(const context& ctx) { return put({}, true, ctx); }
  // Returns the number of bytes in the buffer. Does not block.
  std::size_t buffered() const noexcept { return buf_.size(); }
  // Returns the stream. Writing it directly passes by the bytes in the buffer.
  Stream& stream() noexcept { return to_; }

 private:
  // With a context or without one. An error of the stream stays: a part of the buffer may be
  // written.
  template <class... Context>
  std::error_code put(std::span<const std::byte> data, bool flushes, const Context&... ctx) {
    if (error_) return error_;
    if (const std::error_code e = detail::error_of(ctx...)) return e;
    const bool full = buf_.size() + data.size() > size_;
    if (!buf_.empty() && (full || flushes)) {
      error_ = to_.write(ctx..., std::span<const std::byte>(buf_)).err;
      buf_.clear();
    }
    if (!error_ && full && data.size() >= size_) error_ = to_.write(ctx..., data).err;
    else if (!error_) buf_.insert(buf_.end(), data.begin(), data.end());
    return error_;
  }

  Stream to_;
  const std::size_t size_;
  std::vector<std::byte> buf_;
  std::error_code error_;
};

}  // namespace weft::bufio
