// A connection in memory: one end reads what the other writes, without a socket and without a
// buffer. For tests of code that takes a connection, and for two fibers that talk through one. Go's
// net.Pipe.
//
//   auto [client, server] = weft::net::pipe();
//   weft::go([s = server] { serve(s); });
//   client.write("GET / HTTP/1.0\r\n\r\n");
//
// pipe_conn has the functions of net::conn but is not derived from it: it has no descriptor, so no
// options and no number.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline_setters.h>
#include <weft/endpoint.h>
#include <weft/errors.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace weft::net {

namespace detail {
struct pipe_end;
}

// One end. A shared handle: copies are the same end, and the destructor of the last copy closes it.
// For any number of fibers and plain threads; plain threads block. One fiber may read while another
// writes; concurrent writes queue and are not mixed.
class pipe_conn : public weft::detail::deadline_setters<pipe_conn> {
 public:
  // Empty: every operation returns errc::closed.
  pipe_conn() noexcept = default;

  // Blocks until the other end writes, and returns the number of bytes read, at most buf.size(); 0
  // immediately for an empty buf. Errors: errc::eof after the other end is closed, errc::closed,
  // errc::timeout; with ctx: ctx's error.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Blocks until the other end has read all of `data`. Returns the number of bytes that were read,
  // also with an error. Errors: errc::closed after either end is closed, errc::timeout; with ctx:
  // ctx's error.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }
  result<std::size_t> write(const context& ctx, std::string_view text) const {
    return write(ctx, std::as_bytes(std::span(text)));
  }

  // Closes this end: operations that wait at this end return errc::closed. Returns errc::closed if
  // it was closed before. Does not block.
  std::error_code close() const;

  // Set the time after which operations return errc::timeout, waiting operations included.
  // time_point::max(): no deadline. Do not block. Go's SetDeadline, SetReadDeadline and
  // SetWriteDeadline.
  void set_deadline(time_point at = time_point::max()) const;
  void set_read_deadline(time_point at = time_point::max()) const;
  void set_write_deadline(time_point at = time_point::max()) const;
  using deadline_setters::set_deadline;  // for any clock
  using deadline_setters::set_read_deadline;
  using deadline_setters::set_write_deadline;

  // Return an empty endpoint, for code that takes any connection.
  const endpoint& local_addr() const noexcept;
  const endpoint& remote_addr() const noexcept { return local_addr(); }

  // Returns true if it is not closed.
  explicit operator bool() const noexcept;
  friend bool operator==(const pipe_conn& a, const pipe_conn& b) noexcept { return a.end_ == b.end_; }

  // For weft itself.
  explicit pipe_conn(std::shared_ptr<detail::pipe_end> end) noexcept : end_(std::move(end)) {}

 private:
  std::shared_ptr<detail::pipe_end> end_;
};

// The two ends of a pipe.
struct pipe_ends {
  pipe_conn first, second;
};
// Makes a pipe. Does not block; needs no world. The deadlock check counts a fiber that waits at an
// end as blocked. Go's net.Pipe.
pipe_ends pipe();

}  // namespace weft::net
