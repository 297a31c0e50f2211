#include "net/fd/descriptor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/errors.h>

#include <cerrno>
#include <string>
#include <utility>

#include "net/fd/open_socket.h"
#include "runtime/fatal.h"

namespace weft::detail {

// Note [life]: an operation that drops its hold releases what it did with the descriptor; the last
// drop acquires all of that. A holder of a direction that was not counted releases it with the
// direction's spin lock, which close() takes.

descriptor::descriptor(int fd, net::endpoint local, net::endpoint remote)
    : fd_(fd), local_(std::move(local)), remote_(std::move(remote)) {}

void descriptor::connected(const net::endpoint& to) {
  remote_ = to;
  local_ = name_of_socket(fd_, to.type());
  is_stream = short_reads_drain(to);
}

bool descriptor::enter() {
  std::uint64_t now = life_.load(std::memory_order_relaxed);
  do {
    if (now & closing) return false;
    if ((now & ops) >= max_ops)
      throw panic(fmt::format("net: too many concurrent operations on one descriptor (at most {})", max_ops));
    // [life] the first touch, after whatever closed it had it been closed
  } while (!life_.compare_exchange_weak(now, now + one_op, std::memory_order_acq_rel, std::memory_order_relaxed));
  return true;
}

void descriptor::leave() noexcept {
  std::uint64_t now = life_.load(std::memory_order_acquire);  // [life]
  if ((now & ops) == 0) fatal("net: an operation on a descriptor ends that never began");
  if ((now & closing) && (now & ops) == one_op) close_now();  // no operation can begin any more
  for (;;) {
    const bool last = (now & closing) && (now & ops) == one_op;
    if (life_.compare_exchange_weak(now, now - one_op, std::memory_order_acq_rel,  // [life]
                                    std::memory_order_acquire)) {  // [life]
      if (last && (now & handles) == 0) delete this;
      return;
    }
    if (!last && (now & closing) && (now & ops) == one_op) close_now();
  }
}

wait_result descriptor::lock_slow(direction_kind which, const context* ctx) {
  if (ctx && error_of(*ctx)) return wait_result::context;
  direction& way = direction_for(which);
  wait_result e = wait_result::none;
  if (way.try_lock(e)) return e;
  const in_use hold(this);  // waiting operations are counted: the queue must outlive them
  if (!hold) return wait_result::closed;
  e = way.wait_for_lock(ctx);
  if (e != wait_result::none) return e;
  e = way.over();
  if (e != wait_result::none) unlock(which);
  return e;
}

void descriptor::drop_handle() noexcept {
  std::uint64_t now = life_.load(std::memory_order_acquire);  // [life]
  std::uint64_t then = 0;
  do {
    then = now - one_handle;
    if ((then & handles) != 0) continue;
    if (!(now & closing)) then = (then | closing) + one_op;  // ours, so that it lasts while we end what waits
    else if ((then & ops) != 0) then += one_op;
  } while (!life_.compare_exchange_weak(now, then, std::memory_order_acq_rel, std::memory_order_acquire));  // [life]
  if ((then & handles) != 0) return;
  if ((then & ops) == 0) {
    delete this;
    return;
  }
  if (!(now & closing)) end_waits();  // some operation may outlive its handle: it ends, and then the descriptor
  leave();
}

// An operation of the caller's keeps the descriptor.
void descriptor::end_waits() {
  for (direction& way : directions_) {
    life_.fetch_add(one_op, std::memory_order_relaxed);  // for the holder of the direction: its unlock() drops it
    const auto [taken, abandoned] = way.close();
    if (!taken) leave();
    for (int i = 0; i < abandoned; ++i) leave();  // what those would drop that wait for the lock
  }
}

std::error_code descriptor::close() {
  if (!enter()) return errc::closed;
  const std::uint64_t before = life_.fetch_or(closing, std::memory_order_acq_rel);  // [life]
  if (before & closing) {
    leave();
    return errc::closed;
  }
  end_waits();
  leave();
  section hold(lock_);
  if (!done_) {
    waiter w;
    w.g = hold.self();
    closers_.push(&w);
    park(wait_reason::io_wait, hold);
  }
  return close_error_ ? std::error_code(close_error_, std::system_category()) : std::error_code();
}

// Called when the last hold is dropped.
void descriptor::close_now() noexcept {
  for (direction& way : directions_) way.forget_timer();
  if (registration* r = registration_.load(std::memory_order_acquire))  // [registration]
    registered_with_->forget(r, fd_);
  if (unlinks_path) unlink_path(local_);
  const int error = ::close(fd_) == 0 ? 0 : last_error().value();
  waiter* closer = nullptr;
  {
    section hold(lock_);
    done_ = true;
    close_error_ = error;
    closer = closers_.take();
  }
  if (closer) ready(closer->g);
}

// Note [registration]: it is complete, and whose it is, before it is stored; readers acquire that.

}  // namespace weft::detail
