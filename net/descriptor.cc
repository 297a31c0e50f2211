#include "net/descriptor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/errors.h>

#include <cerrno>
#include <string>
#include <utility>

#include "net/open_socket.h"
#include "runtime/fatal.h"

namespace weft::detail {

// Note [life]: whoever lets go of a descriptor releases what it did with it; the one that ends it acquires all of that.
// Those that had a turn and were not counted release it with the half's lock, which whoever ends the waits takes.

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
    if ((now & ops) >= most_ops)
      throw panic(fmt::format("net: too many concurrent operations on one descriptor (at most {})", most_ops));
    // [life] the first touch, after whatever closed it had it been closed
  } while (!life_.compare_exchange_weak(now, now + one_op, std::memory_order_acq_rel, std::memory_order_relaxed));
  return true;
}

void descriptor::leave() noexcept {
  std::uint64_t now = life_.load(std::memory_order_acquire);  // [life]
  if ((now & ops) == 0) fatal("net: an operation on a descriptor ends that never began");
  if ((now & closing) && (now & ops) == one_op) close_now();  // nobody can enter any more
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

ending descriptor::begin_slowly(half_of which, const context* ctx) {
  if (ctx && error_of(*ctx)) return ending::context;
  half& h = half_for(which);
  ending e = ending::none;
  if (h.begin_at_once(e)) return e;
  const in_use hold(this);  // those that queue are counted: the queue must outlive them
  if (!hold) return ending::closed;
  e = h.wait_for_turn(ctx);
  if (e != ending::none) return e;
  e = h.over();
  if (e != ending::none) end(which);
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
  for (half& h : halves_) {
    life_.fetch_add(one_op, std::memory_order_relaxed);  // for the one that has the turn: its end() lets go
    if (!h.close()) leave();
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

// By the one that lets go last.
void descriptor::close_now() noexcept {
  for (half& h : halves_) h.forget_timer();
  if (epoll_slot* s = slot_.load(std::memory_order_acquire)) slot_of_->unwatch(s, fd_);  // [slot]
  if (unlinks_path)
    if (const std::string path = local_.to_string(); !path.empty() && path[0] != '@') unlink(path.c_str());
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

epoll_slot* descriptor::slot(backend& b) {
  if (epoll_slot* s = slot_.load(std::memory_order_acquire)) return s;  // [slot]
  section hold(lock_);
  if (epoll_slot* s = slot_.load(std::memory_order_relaxed)) return s;
  slot_of_ = &b;
  epoll_slot* s = b.watch(fd_);
  slot_.store(s, std::memory_order_release);  // [slot]
  return s;
}

// Note [slot]: the slot is complete, and whose it is, before it is stored; readers acquire that.

}  // namespace weft::detail
