#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <mutex>
#include <new>

#include "net/http/exchange.h"

namespace weft::http::detail {

const context& watcher::ctx(const context& parent) {
  const std::lock_guard hold(lock_);
  if (request_) return request_->ctx;
  request_.emplace(with_cancel(parent));
  if (may_read_) begin_locked();
  return request_->ctx;
}

void watcher::body_has_ended() {
  const std::lock_guard hold(lock_);
  may_read_ = true;
  if (request_ && !watching_) begin_locked();
}

// A read waits beside the handler. It ends with an error if the client has gone, and with the next
// request's bytes if it sends on, which says nothing about the rest.
void watcher::begin_locked() {
  watching_.emplace(with_cancel(background()));
  conn_.set_read_deadline(time_point::max());
  fiber_.go([this] {
    try {
      const std::error_code e = in_.fill(watching_->ctx, conn_);
      if (e && e != weft::errc::canceled) request_->cancel();
    } catch (const std::bad_alloc&) {  // the client is not watched
    }
  });
}

void watcher::release() {
  {
    const std::lock_guard hold(lock_);
    may_read_ = false;
    if (!watching_) return;
    watching_->cancel();
  }
  fiber_.wait();
}

void watcher::stop() {
  {
    const std::lock_guard hold(lock_);
    if (request_) request_->cancel();
  }
  release();
}

}  // namespace weft::http::detail
