// Receives into memory that is lent when something has come.
//
// While the fiber waits there is room for a kilobyte on its stack, in the page that it has anyway. Mostly what comes is
// a request that fits, and is copied out. Where it fills the room, the rest is fetched at once, and the next wait has a
// whole buffer: that connection is not silent.
//
// Refused: buffers that a ring lends (IOSQE_BUFFER_SELECT). The kernel's part in lending one costs an echo server 3 %
// of its CPU time, more than copying a small message, and epoll would need another way.
#include <weft/net.h>
#include <weft/pool.h>

#include <cstring>
#include <memory>
#include <new>

#include "net/perform.h"
#include "net/requests.h"

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
  static constexpr std::size_t at_first = 1024;  // bytes on the stack

  static result<net::received> in_bulk(turn& t, const context* ctx);
  // These have come on the stack.
  static net::received copy_of(turn& t, std::span<const std::byte> some);

 private:
  static net::received lend() {
    net::received r;
    r.in_.reset(buffers().get().release());
    if (!r.in_) r.in_.reset(new receive_buffer);
    return r;
  }
};

// With a buffer from the beginning: nothing may be cut off a packet, and of a stream much has come the last time.
result<net::received> receiver::in_bulk(turn& t, const context* ctx) {
  net::received all = lend();
  receive rq(t.fd(), all.in_->bytes, net::received::most);
  const outcome got = perform(t, rq, ctx);
  if (got.err) return {{}, got.err};
  const int type = t.of().remote().type();
  if (got.n == 0 && type != SOCK_DGRAM) return {{}, weft::errc::eof};
  all.size_ = static_cast<std::size_t>(got.n);
  t.it().drained = t.of().is_stream && all.size_ < net::received::most;
  t.it().in_bulk = type == SOCK_STREAM && all.size_ > at_first;
  return {std::move(all), {}};
}

net::received receiver::copy_of(turn& t, std::span<const std::byte> some) {
  net::received all = lend();
  std::memcpy(all.in_->bytes, some.data(), some.size());
  all.size_ = some.size();
  if (some.size() == at_first) {
    receive rest(t.fd(), all.in_->bytes + at_first, net::received::most - at_first);
    if (const int n = rest.attempt(); n > 0)
      all.size_ += static_cast<std::size_t>(n);  // an error is for the next receive
    t.it().in_bulk = true;
  }
  t.it().drained = t.of().is_stream && all.size_ < (t.it().in_bulk ? net::received::most : at_first);
  return all;
}

}  // namespace weft::detail

namespace weft::net {

using namespace detail;

namespace {

bool keeps_packets(const descriptor& d) noexcept { return !d.is_stream && d.remote().type() != SOCK_STREAM; }

[[gnu::always_inline]] inline result<received> receive_some(descriptor* d, const context* ctx) {
  turn t(d, half_of::reading, ctx);
  if (t.error()) return {{}, t.error()};
  if (t.it().in_bulk || keeps_packets(*d)) [[unlikely]]
    return receiver::in_bulk(t, ctx);
  std::byte room[receiver::at_first];
  receive rq(t.fd(), room, sizeof room);
  const outcome got = perform_here(t, rq, ctx);
  if (got.err) return {{}, got.err};
  if (got.n == 0) return {{}, weft::errc::eof};
  return {receiver::copy_of(t, std::span(room).first(static_cast<std::size_t>(got.n))), {}};
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
