// Two ends of a connection in memory: what one writes the other reads, without a socket and without a buffer. Go's
// net.Pipe. For tests of what takes a connection, and for two fibers that would talk through one.
//
//   auto [client, server] = weft::net::pipe();
//   weft::go([s = server] { serve(s); });
//   client.write("GET / HTTP/1.0\r\n\r\n");
//
// Beside net::conn and no kind of it: a connection is a descriptor, with options and a number, and this is none.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/deadline.h>
#include <weft/endpoint.h>
#include <weft/errors.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace weft::net {

namespace impl {
struct pipe_end;
}

// A shared handle: copies are the same end, and the last that goes closes it. From many fibers, and from plain threads,
// which then block. One may read while another writes; writes of several queue and are not mixed.
class pipe_conn {
 public:
  // None: every operation returns errc::closed.
  pipe_conn() noexcept = default;

  // Waits for a write at the other end and takes at most buf.size() bytes of it; 0 for an empty buf, at once.
  // errc::eof once the other end is closed.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Waits until the other end has read all; with an error: how much of it. errc::closed once either end is closed.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }

  // Ends whatever waits at this end with errc::closed. errc::closed if it was closed before.
  std::error_code close() const;

  // As a connection's: errc::timeout from then on.
  void set_deadline(time_point at = time_point::max()) const;
  void set_read_deadline(time_point at = time_point::max()) const;
  void set_write_deadline(time_point at = time_point::max()) const;
  template <class Clock, class D>
  void set_deadline(std::chrono::time_point<Clock, D> at) const {
    set_deadline(time_point(duration(detail::deadline_of(at))));
  }
  template <class Clock, class D>
  void set_read_deadline(std::chrono::time_point<Clock, D> at) const {
    set_read_deadline(time_point(duration(detail::deadline_of(at))));
  }
  template <class Clock, class D>
  void set_write_deadline(std::chrono::time_point<Clock, D> at) const {
    set_write_deadline(time_point(duration(detail::deadline_of(at))));
  }

  // Nowhere, both: for code that takes any connection.
  const endpoint& local_addr() const noexcept;
  const endpoint& remote_addr() const noexcept { return local_addr(); }

  // Not closed.
  explicit operator bool() const noexcept;
  friend bool operator==(const pipe_conn& a, const pipe_conn& b) noexcept { return a.end_ == b.end_; }

  // For weft itself.
  explicit pipe_conn(std::shared_ptr<impl::pipe_end> end) noexcept : end_(std::move(end)) {}

 private:
  std::shared_ptr<impl::pipe_end> end_;
};

struct pipe_ends {
  pipe_conn first, second;
};
// From anywhere, also without a world. Whoever waits for an end that nobody will use counts for the deadlock verdict.
pipe_ends pipe();

}  // namespace weft::net
