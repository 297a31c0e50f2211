// epoll as the poller: for kernels, containers and policies that refuse io_uring. With io_uring
// too, for requests by readiness: uring.h.
//
// Each descriptor is registered once, edge-triggered, at its first wait. An edge wakes the fiber
// that waits for that direction, or is kept for the next that would. So an edge that comes between
// a failed attempt and the wait is not lost, and a superfluous one costs a failed attempt.
//
// An event that was fetched before its descriptor was closed may be looked at after that. So what
// an event points at is a slot that is never freed, and has a number that counts its uses.
//
// There is one for the process, for a descriptor may outlive the world in which it was first waited
// for.
#pragma once
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>

#include "net/fd/backend.h"
#include "net/fd/direction.h"

namespace weft::detail {

class descriptor;

struct epoll_slot : registration {
  // By direction: null, an operation, or `ready`. Any thread.
  std::atomic<io_op*> waiting[2]{};
  // The peer has ended its side or the connection is broken, and no edge comes any more. Or urgent
  // data is in the stream: it ends a read, and what stands behind it comes without an edge.
  std::atomic<bool> short_reads_prove_nothing{false};
  std::atomic<std::uint32_t> uses{0};
  std::uint32_t index = 0;        // set once
  int fd = -1;                    // the descriptor that is watched; -1: none
  epoll_slot* next_free = nullptr;  // under the poller's lock

  static io_op* ready() noexcept { return reinterpret_cast<io_op*>(std::uintptr_t{1}); }

  // Lets `op` be completed by the next edge. False if one has come since the last time: try again.
  bool arm(direction_kind which, io_op& op) noexcept;
  // Takes it back. False if an edge was faster: it will be completed.
  bool disarm(direction_kind which, io_op& op) noexcept;
  // An edge has come that no operation has used yet.
  bool edge_waits(direction_kind which) const noexcept;
};

class epoll_poller final : public backend {
 public:
  epoll_poller() noexcept : backend(poller_kind::epoll) {}
  ~epoll_poller() override;
  // 0, or an error number.
  int open() noexcept;
  // In a forked child, which would share the epoll with its parent: another one, with what this one
  // watches.
  void renew_after_fork();

  // For io_uring, whose sleeper waits until this can be read, and then collects the fibers that are
  // ready.
  int fd() const noexcept { return epoll_; }
  void collect(ready_list& ready);
  // Watches `fd` from now on. Null and errno if the kernel refuses.
  epoll_slot* watch(int fd);
  void unwatch(epoll_slot* s, int fd) noexcept;

  outcome perform(const io_lock& l, io_request& rq, const context* ctx) override;
  int perform_on_file(io_request&) override { return -EAGAIN; }
  std::error_code wait_for_foreign(int fd, short events, const context* ctx) override;
  void forget(registration* r, int fd) noexcept override { unwatch(static_cast<epoll_slot*>(r), fd); }

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
  epoll_slot* slot_of(descriptor& d);
  outcome by_readiness(descriptor& d, direction_kind which, io_request& rq, const context* ctx);
  void ring() noexcept;

  int epoll_ = -1, bell_ = -1;
  std::atomic<bool> rung_{false};
  std::atomic<int> waiters_{0};
  std::array<std::atomic<slots*>, chunks> made_{};  // never freed
  spin_lock lock_;                                  // of the slots not in use
  epoll_slot* free_ = nullptr;
  std::uint32_t count_ = 0;
};

// Returns the epoll of the process, or null, errno and the reason in words.
epoll_poller* the_epoll(std::string& why_not);

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
