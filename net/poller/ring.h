// One io_uring: a submission queue with a lock, and a completion queue with another.
//
// Each P has a ring of its own, where its fibers' operations are batched until the P's M runs dry,
// idles or has taken 61 turns. Completions are taken by the P's M or by the M that sleeps for all,
// whichever looks first. Since Ps and their rings move between Ms, the ring is made without
// SINGLE_ISSUER and DEFER_TASKRUN; with COOP_TASKRUN, which costs as little and lets another thread
// take the completions.
//
// A thousand connections may have requests at the same time. A fiber should serve its request to
// the end while its memory is in the cache, so of the completions that a peer has initiated
// (received) a batch is taken at a time and the others stand in line; those of a fiber's own steps
// (sent) are passed on immediately.
//
// An entry is published as it is written, so a batch may be submitted by any thread: a canceller
// does, for an operation must be with the kernel before it can be cancelled there.
#pragma once
#include <liburing.h>
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "net/fd/io_request.h"
#include "runtime/cache_line.h"

namespace weft::detail {

// Errors of io_uring_enter after which the same call may succeed.
constexpr bool is_transient(int result) noexcept {
  return result == -EINTR || result == -EAGAIN || result == -EBUSY || result == -ENOMEM;
}

struct ring {
  // 0, or an error number.
  int open(unsigned entries) noexcept;
  ~ring();

  // Starts rq by the kernel, later. False if the queue is full. `Request`: its class, where that is
  // known.
  template <class Request>
  bool put(Request& rq) noexcept;
  // The same, and makes room first. False if the kernel takes nothing just now.
  bool push(io_request& rq) noexcept;
  // Submits what is batched. Any thread.
  void submit() noexcept;
  // Submits what stood there when it was last called: the P's own M is busy in a fiber. One thread
  // at a time.
  void submit_if_stale() noexcept;
  // The kernel has not taken all of the last batch. submit() tries again.
  bool refused() const noexcept { return refused_.load(std::memory_order_relaxed) && unsubmitted() != 0; }
  // Cancels an operation of this ring, whatever has become of it. Any thread.
  void cancel(const io_request& rq) noexcept;
  // Cancels all, for the end of a world.
  void cancel_all() noexcept;

  // Completes what the kernel has done. Any M. `look`: also what it has not posted yet.
  enum class look { in_memory, with_system_call };
  void reap(ready_list& ready, look how) noexcept;

  unsigned unsubmitted() const noexcept { return at(raw_.sq.ktail) - io_uring_smp_load_acquire(raw_.sq.khead); }
  // There is something to reap, as far as can be seen without a system call.
  bool has_completions() const noexcept {
    return at(raw_.cq.khead) != io_uring_smp_load_acquire(raw_.cq.ktail) ||
           in_line_.load(std::memory_order_relaxed) != 0;
  }
  // Operations started and not completed.
  bool busy() const noexcept { return at(raw_.sq.ktail) != completed_.load(std::memory_order_relaxed); }
  // Completions wait to be posted, or have no room in the queue.
  bool needs_enter() const noexcept {
    return io_uring_smp_load_acquire(raw_.sq.kflags) & (taskrun_pending | IORING_SQ_CQ_OVERFLOW);
  }
  int fd() const noexcept { return raw_.ring_fd; }
  bool can_wait_without_iowait() const noexcept { return raw_.features & feature_no_iowait; }

  static constexpr unsigned taskrun_pending = 1u << 2;  // IORING_SQ_TASKRUN
  static constexpr unsigned enter_no_iowait = 1u << 7;  // IORING_ENTER_NO_IOWAIT, 6.15
  static constexpr unsigned feature_no_iowait = 1u << 17;

 private:
  struct completion {
    std::uint64_t data;
    std::int32_t res;
  };
  // A word of the ring that this side writes.
  static unsigned at(const unsigned* word) noexcept { return __atomic_load_n(word, __ATOMIC_RELAXED); }
  int enter(unsigned n, unsigned flags) noexcept;

  io_uring raw_{};
  alignas(line_pair) spin_lock submit_lock_;
  unsigned next_entry_ = 0;  // under submit_lock_
  unsigned seen_ = 0;  // of submit_if_stale()
  alignas(line_pair) spin_lock reap_lock_;
  std::vector<completion> line_;  // under reap_lock_, as the next
  std::size_t first_ = 0;  // the line begins here
  std::atomic<std::size_t> in_line_{0};  // its length; written under reap_lock_
  std::atomic<bool> refused_{false};  // by the last call of io_uring_enter
  std::atomic<unsigned> completed_{0};  // as many operations as entries; written under reap_lock_
};

// Stands in an entry's user_data beside the operation's address.
inline constexpr std::uint64_t peer_bit = 1;
static_assert(alignof(io_op) > peer_bit);
inline std::uint64_t name_of(const io_request& rq) noexcept {
  return reinterpret_cast<std::uintptr_t>(&rq.op) | (rq.initiated_by_peer ? peer_bit : 0);
}

template <class Request>
bool ring::put(Request& rq) noexcept {
  const std::lock_guard hold(submit_lock_);
  const unsigned tail = at(raw_.sq.ktail);
  const unsigned waiting = tail - io_uring_smp_load_acquire(raw_.sq.khead);
  if (waiting == raw_.sq.ring_entries) [[unlikely]]
    return false;
  // The entries from the first on, which are in the cache, whenever the kernel has read all.
  const unsigned entry = (waiting == 0 ? 0 : next_entry_) & raw_.sq.ring_mask;
  next_entry_ = entry + 1;
  raw_.sq.array[tail & raw_.sq.ring_mask] = entry;
  io_uring_sqe& sqe = raw_.sq.sqes[entry];
  std::memset(&sqe, 0, sizeof sqe);
  rq.at = this;
  rq.prepare(sqe);
  sqe.user_data = name_of(rq);
  io_uring_smp_store_release(raw_.sq.ktail, tail + 1);
  return true;
}

}  // namespace weft::detail
