// From one connection to another, by a pipe that holds what is on its way.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/net.h>

#include <array>
#include <cerrno>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"

namespace weft::net {

using namespace weft::detail;

namespace {

constexpr std::size_t at_a_time = 64 << 10;  // what a pipe holds

struct progress {
  std::uint64_t done = 0;
  std::error_code err = {};
  bool can_splice = true;
};

// A part from `from` to the pipe. 0: the end. The lock is not held while the other connection is
// waited for: that must be able to close, and another fiber to use it.
outcome fill(descriptor* from, const context* ctx, int pipe) {
  const io_lock reads(from, direction_kind::reading, ctx);
  if (reads.error()) return {0, reads.error()};
  splice_part rq(reads.fd(), POLLIN, reads.fd(), pipe, at_a_time);
  const outcome o = perform(reads, rq, ctx);
  reads.it().drained = false;
  return o;
}

// A part from the pipe to `to`.
std::error_code drain(descriptor* to, const context* ctx, int pipe, std::size_t n, std::uint64_t& done) {
  const io_lock writes(to, direction_kind::writing, ctx);
  if (writes.error()) return writes.error();
  while (n > 0) {
    splice_part rq(writes.fd(), POLLOUT, pipe, writes.fd(), n);
    const outcome o = perform(writes, rq, ctx);
    if (o.err) return o.err;
    if (o.n == 0) return make_error_code(std::errc::broken_pipe);
    n -= static_cast<std::size_t>(o.n);
    done += static_cast<std::uint64_t>(o.n);
  }
  return {};
}

progress by_splice(descriptor* to, descriptor* from, const context* ctx) {
  progress p;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {.can_splice = false};
  const owned_fd reader(ends[0]), writer(ends[1]);
  p.err = drain(to, ctx, reader.get(), 0, p.done);  // nothing is read for one that is closed
  while (!p.err) {
    const outcome o = fill(from, ctx, writer.get());
    if (o.err == std::errc::invalid_argument && p.done == 0) return {.can_splice = false};
    p.err = o.err;
    if (o.err || o.n == 0) return p;
    p.err = drain(to, ctx, reader.get(), static_cast<std::size_t>(o.n), p.done);
  }
  return p;
}

result<std::uint64_t> by_buffer(const conn& to, const conn& from, const context* ctx) {
  std::vector<std::byte> buf(at_a_time);
  std::uint64_t done = 0;
  for (;;) {
    const auto [n, err] = ctx ? from.read(*ctx, buf) : from.read(buf);
    if (err) return {done, err == weft::errc::eof ? std::error_code() : err};
    const auto part = std::span<const std::byte>(buf).first(n);
    const auto [written, failed] = ctx ? to.write(*ctx, part) : to.write(part);
    done += written;
    if (failed) return {done, failed};
  }
}

// For the descriptor of a handle.
struct inner : conn {
  explicit inner(const conn& c) : conn(c) {}
  descriptor* get() const noexcept { return d_.get(); }
};

result<std::uint64_t> copy_all(const conn& to, const conn& from, const context* ctx) {
  const inner t(to), f(from);
  const auto is_stream = [](const inner& c) { return c.get() && c.get()->remote().type() == SOCK_STREAM; };
  if (is_stream(t) && is_stream(f)) {
    const progress p = by_splice(t.get(), f.get(), ctx);
    if (p.can_splice) return {p.done, p.err};
  }
  return by_buffer(to, from, ctx);
}

}  // namespace

result<std::uint64_t> copy(const conn& to, const conn& from) { return copy_all(to, from, nullptr); }
result<std::uint64_t> copy(const context& ctx, const conn& to, const conn& from) { return copy_all(to, from, &ctx); }

}  // namespace weft::net
