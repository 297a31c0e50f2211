// A descriptor that fibers share: read by one, written by another, given a deadline by a third, closed by a fourth.
//
// No operation may meet a number that the kernel has given to somebody else in the meantime. So an operation
// holds the descriptor while it is under way, and close() only says that it is over: it ends the operations
// that wait, and whoever lets go of the descriptor last closes it. close() returns when that has happened.
// The turn to operate on a half is such a hold. It is not counted, which would cost every operation two atomic steps,
// until somebody closes: then those that are taken are.
//
// The two halves know nothing of each other: net/half.h.
//
// Refused: shutdown(2) to end the operations under way, which also ends those of processes that share the socket.
#pragma once
#include <weft/context.h>
#include <weft/detail/wait_queue.h>
#include <weft/endpoint.h>

#include <atomic>
#include <cstdint>
#include <system_error>

#include "net/half.h"
#include "net/poller/backend.h"

namespace weft::detail {

class alignas(64) descriptor {
 public:
  // Owns `fd`. One handle exists.
  descriptor(int fd, net::endpoint local, net::endpoint remote);

  // Handles: when the last is gone the descriptor is closed.
  void add_handle() noexcept { life_.fetch_add(one_handle, std::memory_order_relaxed); }
  void drop_handle() noexcept;

  // An operation begins: false if the descriptor is closed. Throws weft::panic if 1,048,575 are under way, as
  // many as Go allows. And ends: the process dies if none is under way.
  bool enter();
  void leave() noexcept;
  // An operation on one half begins, once it has the turn: else why not. Throws as enter() does. And ends.
  ending begin(half_of which, const context* ctx) {
    ending e = ending::none;
    if (!ctx && half_for(which).begin_at_once(e)) [[likely]]
      return e;
    return begin_slowly(which, ctx);
  }
  void end(half_of which) noexcept {
    if (half_for(which).end()) leave();
  }

  std::error_code close();
  bool closed() const noexcept { return life_.load(std::memory_order_relaxed) & closing; }

  int fd() const noexcept { return fd_; }
  half& half_for(half_of h) noexcept { return halves_[static_cast<int>(h)]; }
  const net::endpoint& local() const noexcept { return local_; }
  const net::endpoint& remote() const noexcept { return remote_; }
  // Watched by epoll from now on. Null and errno if that cannot be.
  epoll_slot* slot(backend& b);

  // Before it is shared: it was dialled, and this is where it leads.
  void connected(const net::endpoint& to);

  // Of a socket: short_reads_drain(). Of a file: it waits as a socket does.
  bool is_stream = false;
  // The file of its local address goes when it is closed.
  bool unlinks_path = false;

 private:
  static constexpr std::uint64_t one_op = 1, one_handle = std::uint64_t{1} << 21, closing = std::uint64_t{1} << 63;
  static constexpr std::uint64_t ops = one_handle - 1, handles = (closing - 1) & ~ops;
  static constexpr std::uint64_t most_ops = (std::uint64_t{1} << 20) - 1;
  ~descriptor() = default;
  ending begin_slowly(half_of which, const context* ctx);
  void end_waits();
  void close_now() noexcept;

  // What every operation touches comes first.
  std::atomic<std::uint64_t> life_{one_handle};
  const int fd_;
  half halves_[2];
  std::atomic<epoll_slot*> slot_{nullptr};
  backend* slot_of_ = nullptr;     // set before slot_
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
