// A descriptor that fibers share: read by one, written by another, given a deadline by a third,
// closed by a fourth.
//
// No operation may use a number that the kernel has given to another file in the meantime. So an
// operation holds the descriptor while it is under way. close() refuses new ones, ends the waiting
// ones, and blocks until the last hold is dropped; that closes the number. The lock of a direction
// is such a hold. It is counted only from close() on: before, the count would cost every operation
// two atomic steps.
//
// The two directions are independent: net/fd/direction.h.
//
// Refused: shutdown(2) to end the operations under way, which also ends those of processes that
// share the socket.
#pragma once
#include <weft/context.h>
#include <weft/detail/wait_queue.h>
#include <weft/endpoint.h>

#include <atomic>
#include <cstdint>
#include <system_error>

#include "net/fd/backend.h"
#include "net/fd/direction.h"

namespace weft::detail {

class alignas(64) descriptor {
 public:
  // Owns `fd`. One handle exists.
  descriptor(int fd, net::endpoint local, net::endpoint remote);

  // Handles: when the last is gone the descriptor is closed.
  void add_handle() noexcept { life_.fetch_add(one_handle, std::memory_order_relaxed); }
  void drop_handle() noexcept;

  // An operation begins: false if the descriptor is closed. Throws weft::panic if 1,048,575 are
  // under way, as many as Go allows. And ends: the process dies if none is under way.
  bool enter();
  void leave() noexcept;
  // Takes the lock of a direction for an operation: none, or why no operation may begin. Throws as
  // enter() does.
  wait_result lock(direction_kind which, const context* ctx) {
    wait_result e = wait_result::none;
    if (!ctx && direction_for(which).try_lock(e)) [[likely]]
      return e;
    return lock_slow(which, ctx);
  }
  void unlock(direction_kind which) noexcept {
    if (direction_for(which).unlock()) leave();
  }

  std::error_code close();
  bool closed() const noexcept { return life_.load(std::memory_order_relaxed) & closing; }

  int fd() const noexcept { return fd_; }
  direction& direction_for(direction_kind h) noexcept { return directions_[static_cast<int>(h)]; }
  const net::endpoint& local() const noexcept { return local_; }
  const net::endpoint& remote() const noexcept { return remote_; }
  // What `b` has stored here; make(fd) -> registration* makes it at the first call. Null and errno
  // if make() fails.
  template <class Make>
  registration* registered(backend& b, Make make) {
    if (registration* r = registration_.load(std::memory_order_acquire)) return r;  // [registration]
    section hold(lock_);
    if (registration* r = registration_.load(std::memory_order_relaxed)) return r;
    registered_with_ = &b;
    registration* r = make(fd_);
    registration_.store(r, std::memory_order_release);  // [registration]
    return r;
  }

  // Before it is shared: it was dialled, and this is where it leads.
  void connected(const net::endpoint& to);

  // Of a socket: short_reads_drain(). Of a file: it waits as a socket does.
  bool is_stream = false;
  // The file of its local address goes when it is closed.
  bool unlinks_path = false;

 private:
  static constexpr std::uint64_t one_op = 1, one_handle = std::uint64_t{1} << 21, closing = std::uint64_t{1} << 63;
  static constexpr std::uint64_t ops = one_handle - 1, handles = (closing - 1) & ~ops;
  static constexpr std::uint64_t max_ops = (std::uint64_t{1} << 20) - 1;
  ~descriptor() = default;
  wait_result lock_slow(direction_kind which, const context* ctx);
  void end_waits();
  void close_now() noexcept;

  // What every operation touches comes first.
  std::atomic<std::uint64_t> life_{one_handle};
  const int fd_;
  direction directions_[2];
  std::atomic<registration*> registration_{nullptr};
  backend* registered_with_ = nullptr;  // set before registration_
  spin_lock lock_;
  bool done_ = false;              // these under lock_: the number is the kernel's again
  int close_error_ = 0;
  wait_queue closers_;
  net::endpoint local_, remote_;
};

// -1: there is none.
inline int fd_of(const descriptor* d) noexcept { return d ? d->fd() : -1; }

// An operation's hold on a descriptor.
class in_use {
 public:
  explicit in_use(descriptor* d) : d_(d && d->enter() ? d : nullptr) {}
  in_use(const in_use&) = delete;
  in_use& operator=(const in_use&) = delete;
  ~in_use() {
    if (d_) d_->leave();
  }
  explicit operator bool() const noexcept { return d_; }

 private:
  descriptor* d_;
};

}  // namespace weft::detail
