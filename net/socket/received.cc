// Receives into what is returned, and takes a buffer where more has come than fits there.
//
// While the fiber waits there is room for a kilobyte on its stack, in the page that it has anyway.
// Usually there comes a request that fits, and stays where the kernel has put it. Where it fills
// the room, the rest is read immediately, and the next wait has a whole buffer: that connection is
// not silent.
//
// Refused: buffers that a ring lends (IOSQE_BUFFER_SELECT). The kernel's part in lending one costs
// more than copying a small message, and epoll would need another way. Room of receive()'s own,
// from which a message is copied into a buffer: the copy and the pool touch memory that nothing
// else needs.
#include <weft/net.h>
#include <weft/pool.h>

#include <cstring>
#include <memory>
#include <new>

#include "net/fd/requests.h"
#include "net/poller/perform.h"

namespace weft::detail {
namespace {

// Never destroyed: what was received may outlive main.
pool<receive_buffer>& buffers() {
  static auto* all = new pool<receive_buffer>;
  return *all;
}

}  // namespace

class receiver {
 public:
  static std::span<std::byte> room_of(net::received& r) noexcept { return r.here_; }
  // `n` have come there.
  static void fill(io_lock& t, net::received& r, int n) noexcept {
    r.size_ = static_cast<std::size_t>(n);
    if (r.size_ == net::received::room) [[unlikely]]
      fetch_rest(t, r);
    else t.it().drained = t.of().is_stream;
  }
  static std::error_code in_bulk(descriptor& d, const context* ctx, net::received& r);

 private:
  static void lend(net::received& r) {
    r.in_.reset(buffers().get().release());
    if (!r.in_) r.in_.reset(new receive_buffer);
  }
  static void fetch_rest(io_lock& t, net::received& r) noexcept;
};

// With a buffer from the beginning: nothing may be cut off a packet, and of a stream much has come
// the last time.
std::error_code receiver::in_bulk(descriptor& d, const context* ctx, net::received& r) {
  const io_lock t(&d, direction_kind::reading, ctx);
  if (t.error()) return t.error();
  lend(r);
  receive rq(t.fd(), r.in_->bytes, net::received::most);
  const outcome got = perform(t, rq, ctx);
  if (got.err) return got.err;
  const int type = d.remote().type();
  if (got.n == 0 && type != SOCK_DGRAM) return weft::errc::eof;
  r.size_ = static_cast<std::size_t>(got.n);
  t.it().drained = d.is_stream && r.size_ < net::received::most;
  t.it().in_bulk.store(type == SOCK_STREAM && r.size_ > net::received::room, std::memory_order_relaxed);
  return {};
}

// The room is full.
void receiver::fetch_rest(io_lock& t, net::received& r) noexcept {
  t.it().drained = false;
  t.it().in_bulk.store(true, std::memory_order_relaxed);
  try {
    lend(r);
  } catch (const std::bad_alloc&) {  // what has come is not lost, and the rest is there the next time
    return;
  }
  std::memcpy(r.in_->bytes, r.here_, r.size_);
  receive rest(t.fd(), r.in_->bytes + r.size_, net::received::most - r.size_);
  if (const int n = rest.attempt(); n > 0) r.size_ += static_cast<std::size_t>(n);  // an error is for the next receive
  t.it().drained = t.of().is_stream && r.size_ < net::received::most;
}

}  // namespace weft::detail

namespace weft::net {

using namespace weft::detail;

namespace {

bool wants_a_buffer(descriptor& d) noexcept {
  if (d.direction_for(direction_kind::reading).in_bulk.load(std::memory_order_relaxed)) return true;
  return !d.is_stream && d.remote().type() != SOCK_STREAM;
}

[[gnu::always_inline]] inline result<received> receive_some(descriptor* d, const context* ctx) {
  result<received> all;
  if (d && wants_a_buffer(*d)) [[unlikely]] {
    all.err = receiver::in_bulk(*d, ctx, all.value);
    return all;
  }
  const std::span<std::byte> room = receiver::room_of(all.value);
  receive rq(fd_of(d), room.data(), room.size());
  io_lock t(d, direction_kind::reading);
  const outcome got = perform_first(t, d, rq, ctx);
  if (got.err) all.err = got.err;
  else if (got.n == 0) all.err = weft::errc::eof;
  else receiver::fill(t, all.value, got.n);
  return all;
}

}  // namespace

void received::lent::operator()(receive_buffer* b) const noexcept {
  std::unique_ptr<receive_buffer> own(b);
  try {
    buffers().put(std::move(own));
  } catch (const std::bad_alloc&) {  // no room to keep it in: it is freed
  }
}

result<received> conn::receive() const { return receive_some(d_.get(), nullptr); }
result<received> conn::receive(const context& ctx) const { return receive_some(d_.get(), &ctx); }

}  // namespace weft::net
