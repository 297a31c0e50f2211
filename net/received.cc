// Receives into memory that is lent: by the ring, or by a few spare buffers of the process where there is no ring, and
// where the ring has none left.
#include <weft/net.h>

#include <liburing.h>

#include <cerrno>
#include <mutex>
#include <new>

#include "net/perform.h"
#include "net/poller/lender.h"
#include "net/poller/ring.h"

namespace weft::detail {
namespace {

static_assert(net::received::most == lender::size);

// The last one put here is the next to be taken: its memory is in the cache.
class spare_buffers {
 public:
  std::byte* take() {
    {
      const std::lock_guard hold(lock_);
      if (spare* s = first_) {
        first_ = s->next;
        --kept_;
        return reinterpret_cast<std::byte*>(s);
      }
    }
    return static_cast<std::byte*>(::operator new(lender::size));
  }
  void put(std::byte* b) noexcept {
    {
      const std::lock_guard hold(lock_);
      if (kept_ < most) {
        first_ = ::new (b) spare{first_};
        ++kept_;
        return;
      }
    }
    ::operator delete(b);
  }

 private:
  static constexpr unsigned most = 64;
  struct spare {
    spare* next;
  };
  spin_lock lock_;  // the next under it
  spare* first_ = nullptr;
  unsigned kept_ = 0;
};

constinit spare_buffers spares;

}  // namespace

class receive_lent final : public io_request {
 public:
  explicit receive_lent(int s) noexcept : io_request(s, POLLIN) {}
  ~receive_lent() { (void)lent(); }  // a completion may come with a buffer and nothing in it
  bool has_another_way(int error) noexcept override;
  void prepare(io_uring_sqe& sqe) override;
  int attempt() override;
  // What perform() got: n bytes.
  net::received taken(std::size_t n) noexcept;

 private:
  net::received lent() noexcept;

  net::received own_;  // attempt() has filled it
};

// What the completion has come with, once.
net::received receive_lent::lent() noexcept {
  if (!(op.flags & IORING_CQE_F_BUFFER)) return {};
  const unsigned id = op.flags >> IORING_CQE_BUFFER_SHIFT;
  op.flags = 0;
  lender* of = at->has_lent();
  return {of->take(id), id, of};
}

bool receive_lent::has_another_way(int error) noexcept {
  if (error != -ENOBUFS) return false;
  habits.fits_ring = false;
  if (lender* l = at->has_lent()) l->grow();
  return true;
}

// Without a lender the kernel finds no buffer either, and says so.
void receive_lent::prepare(io_uring_sqe& sqe) {
  at->lends();
  io_uring_prep_recv(&sqe, fd, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = lender::group;
}

int receive_lent::attempt() {
  net::received to(spares.take(), 0, nullptr);
  const auto n = recv(fd, to.at_, lender::size, MSG_DONTWAIT);
  if (n < 0) return -errno;
  own_ = std::move(to);
  return static_cast<int>(n);
}

net::received receive_lent::taken(std::size_t n) noexcept {
  net::received r = own_.at_ ? std::move(own_) : lent();
  r.size_ = static_cast<std::uint32_t>(n);
  return r;
}

}  // namespace weft::detail

namespace weft::net {

using namespace detail;

namespace {

[[gnu::always_inline]] inline result<received> receive_some(descriptor* d, const context* ctx) {
  turn t(d, half_of::reading, ctx);
  if (t.error()) return {{}, t.error()};
  receive_lent rq(t.fd());
  const outcome got = perform_here(t, rq, ctx);
  if (got.err) return {{}, got.err};
  const auto n = static_cast<std::size_t>(got.n);
  t.it().drained = t.of().is_stream && n < received::most;
  if (n == 0 && t.of().remote().type() != SOCK_DGRAM) return {{}, weft::errc::eof};
  return {rq.taken(n), {}};
}

}  // namespace

void received::give_back() noexcept {
  if (of_) of_->give_back(id_);
  else spares.put(at_);
}

result<received> conn::receive() const { return receive_some(d_.get(), nullptr); }
result<received> conn::receive(const context& ctx) const { return receive_some(d_.get(), &ctx); }

}  // namespace weft::net
