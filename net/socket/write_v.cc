// Writing from several places: pieces of memory, files.
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <weft/net.h>

#include <algorithm>
#include <array>

#include "net/fd/requests.h"
#include "net/poller/perform.h"

namespace weft::net {

using namespace weft::detail;

namespace {

using pieces_view = std::span<const std::span<const std::byte>>;

// Where in the pieces the rest begins.
struct cursor {
  std::size_t piece = 0, within = 0;

  void skip(pieces_view pieces, std::size_t n) {
    while (piece < pieces.size() && n >= pieces[piece].size() - within) {
      n -= pieces[piece].size() - within;
      ++piece;
      within = 0;
    }
    within += n;
  }
};

// As many of the pieces as the kernel takes at a time.
template <std::size_t N>
std::size_t gather(pieces_view pieces, cursor at, std::array<iovec, N>& to) {
  std::size_t n = 0;
  for (; n < N && at.piece < pieces.size(); ++at.piece, at.within = 0) {
    const auto rest = pieces[at.piece].subspan(at.within);
    if (!rest.empty()) to[n++] = {const_cast<std::byte*>(rest.data()), rest.size()};
  }
  return n;
}

result<std::size_t> write_pieces(descriptor* d, const context* ctx, pieces_view pieces) {
  io_lock t(d, direction_kind::writing, ctx);
  if (t.error()) return {0, t.error()};
  constexpr std::size_t at_a_time = 64;  // of IOV_MAX: they lie on the stack
  static_assert(at_a_time <= IOV_MAX);
  std::array<iovec, at_a_time> parts;
  std::size_t done = 0;
  for (cursor at;;) {
    msghdr head{};
    head.msg_iov = parts.data();
    head.msg_iovlen = gather(pieces, at, parts);
    if (head.msg_iovlen == 0) return {done, {}};
    send_message rq(t.fd(), head);
    const outcome sent = perform(t, rq, ctx);
    if (sent.err) return {done, sent.err};
    done += static_cast<std::size_t>(sent.n);
    at.skip(pieces, static_cast<std::size_t>(sent.n));
  }
}

}  // namespace

result<std::size_t> conn::write_v(pieces_view pieces) const { return write_pieces(d_.get(), nullptr, pieces); }
result<std::size_t> conn::write_v(const context& ctx, pieces_view pieces) const {
  return write_pieces(d_.get(), &ctx, pieces);
}

result<std::uint64_t> conn::send_file(int file, std::uint64_t offset, std::uint64_t count) const {
  io_lock t(d_.get(), direction_kind::writing, nullptr);
  if (t.error()) return {0, t.error()};
  constexpr std::uint64_t at_a_time = 1 << 20;  // others get their turn in between
  std::uint64_t done = 0;
  while (done < count) {
    send_from_file rq(t.fd(), file, static_cast<off_t>(offset + done), std::min(count - done, at_a_time));
    const outcome sent = perform(t, rq, nullptr);
    if (sent.err) return {done, sent.err};
    if (sent.n == 0) break;  // the file's end
    done += static_cast<std::uint64_t>(sent.n);
  }
  return {done, {}};
}

}  // namespace weft::net
