// epoll as the poller: for kernels, containers and policies that refuse io_uring.
//
// Each descriptor is watched once and for all, edge-triggered, from its first wait on. An edge wakes the
// fiber that waits for that half, or is remembered for the next that would. So an edge that comes between
// a failed attempt and the wait is not lost, and one too many costs a failed attempt.
//
// An event that was fetched before its descriptor was closed may be looked at after that. So what an event
// points at is a slot that is never freed, and has a number that counts its uses.
//
// There is one for the process, for a descriptor may outlive the world in which it was first waited for.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "net/poller/backend.h"

namespace weft::detail {

struct epoll_slot {
  // Null, an operation, or `ready`. Anyone, atomically.
  std::atomic<io_op*> half[2]{};
  // The peer has ended its side, or the connection is broken: nothing more will be announced.
  std::atomic<bool> hung_up{false};
  std::atomic<std::uint32_t> uses{0};
  std::uint32_t index = 0;        // set once
  epoll_slot* next_free = nullptr;  // under the poller's lock

  static io_op* ready() noexcept { return reinterpret_cast<io_op*>(std::uintptr_t{1}); }

  // Lets `op` be completed by the next edge. False if one has come since the last time: try again.
  bool arm(half_of h, io_op& op) noexcept;
  // Takes it back. False if an edge was faster: it will be completed.
  bool disarm(half_of h, io_op& op) noexcept;
  // An edge has come that nobody has used yet.
  bool edge_waits(half_of h) const noexcept;
};

class epoll_poller final : public backend {
 public:
  epoll_poller() noexcept : backend(poller_kind::epoll) {}
  int open() noexcept;

  epoll_slot* watch(int fd) override;
  void unwatch(epoll_slot* s, int fd) override;

  bool has_waiters() const noexcept override { return waiters_.load(std::memory_order_relaxed) > 0; }
  void poll(P& p, ready_list& ready) override;
  void wait(std::int64_t deadline_ns, ready_list& ready) override;
  void wake() noexcept override;
  void flush(P&) override {}
  void end_world(bool all_gone) override;

 private:
  friend class waiting_counted;
  static constexpr std::size_t chunk = 256, chunks = 4096;
  using slots = std::array<epoll_slot, chunk>;
  void deliver(std::uint64_t data, std::uint32_t events, ready_list& ready);
  epoll_slot* take_slot();
  void ring() noexcept;

  int epoll_ = -1, bell_ = -1;
  std::atomic<bool> rung_{false};
  std::atomic<int> waiters_{0};
  std::array<std::atomic<slots*>, chunks> made_{};  // never freed
  spin_lock lock_;                                  // of the slots not in use
  epoll_slot* free_ = nullptr;
  std::uint32_t count_ = 0;
};

// A fiber waits.
class waiting_counted {
 public:
  explicit waiting_counted(epoll_poller& b) noexcept : b_(b) { b_.waiters_.fetch_add(1, std::memory_order_relaxed); }
  waiting_counted(const waiting_counted&) = delete;
  waiting_counted& operator=(const waiting_counted&) = delete;
  ~waiting_counted() { b_.waiters_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  epoll_poller& b_;
};

}  // namespace weft::detail
