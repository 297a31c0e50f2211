// io_uring as the poller: a ring per P, and one M that sleeps for all of them.
//
// The sleeper waits in epoll on the rings' descriptors, not in io_uring_enter: that would count as
// waiting for a disk, and could wait for one ring only.
//
// Requests by readiness, such as accept, wait in the process's epoll, whose descriptor the sleeper
// waits on too.
//
// Note [several Ps]: a ring posts a completion on the thread that has submitted the operation. With
// several Ps that is often an M that sleeps, which the kernel wakes for nothing but that, before it
// wakes the M that sleeps for all. So in a world that has had several Ps, receives and sends are
// attempts that wait in the epoll. Two Ps, two CPUs, by ring and by readiness: a round trip on each
// of 1000 connections in turn, 49 and 13 us; CPU of a request, Redis's clients on 50 connections,
// 11.7 and 9.3 us, and 99 of 100 are answered in 3.0 and 0.8 ms; echo on 1000 connections, 10.8 and
// 9.8. It loses where requests always wait: echo on 64 connections, 6.6 and 6.9 us; HTTP on 64, 8.2
// and 9.1. One P has the one thread, and its ring takes many requests with one system call.
//
// Refused: by ring if the P has other fibers to run at that moment. HTTP 7.4 us instead of 8.2 in
// the same run, echo on 1000 connections 10.5 instead of 8.7, Redis's clients 23 instead of 17.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "net/fd/backend.h"
#include "net/poller/adaptive_spin.h"
#include "net/poller/ring.h"
#include "runtime/cpu_count.h"
#include "sched/world.h"

namespace weft::detail {

class epoll_poller;

inline bool sockets_by_readiness(const world& w) noexcept {  // Note [several Ps]
  return w.ever_shared.load(std::memory_order_relaxed);
}

class uring final : public backend {
 public:
  uring() noexcept : backend(poller_kind::io_uring) {}
  ~uring() override;
  // An error number, or 0.
  int open() noexcept;

  // By a fiber, of its own operation. Starts it; the completion comes later.
  void start(io_request& rq);
  // The ring of P number p; null before its first operation.
  ring* ring_of(int p) const noexcept {
    return of_p_[static_cast<std::size_t>(p)].load(std::memory_order_acquire);  // [rings]
  }
  // A hint that is never lost: it completes soon.
  void cancel(io_request& rq) { rq.at->cancel(rq); }

  outcome perform(const io_lock& l, io_request& rq, const context* ctx) override;
  int perform_on_file(io_request& rq) override;
  std::error_code wait_for_foreign(int fd, short events, const context* ctx) override;
  void forget(registration*, int) noexcept override {}  // what is registered is the epoll's
  // perform_first() has begun, and rq was not completed with a result.
  outcome finish_first(io_lock& l, io_request& rq);

  bool has_waiters() const noexcept override;
  void poll(P& p, ready_list& ready) override;
  void wait(std::int64_t deadline_ns, ready_list& ready) override;
  void wake() noexcept override;
  void flush(P& p) override;
  void end_world(bool all_gone) override;

 private:
  int add_ring(int p) noexcept;
  // The process's epoll; null and errno if there can be none just now.
  epoll_poller* epoll_for_readiness();
  epoll_poller* readiness() const noexcept { return readiness_.load(std::memory_order_acquire); }  // [rings]
  void look_at_readiness(ready_list& ready);
  template <class F>
  void each(F f) const {
    const int n = rings_.load(std::memory_order_acquire);  // [rings]
    for (int i = 0; i < n; ++i) f(*made_[static_cast<std::size_t>(i)]);
  }

  int bell_ = -1;  // an eventfd that ends the sleep
  int sleep_ = -1;  // an epoll of the bell and all rings
  std::atomic<bool> rung_{false};
  adaptive_spin spin_;
  std::array<std::atomic<ring*>, max_procs> of_p_{};
  std::array<ring*, max_procs> made_{};  // those in use; written under adding_
  std::atomic<int> rings_{0};
  spin_lock adding_;
  std::atomic<epoll_poller*> readiness_{nullptr};  // null before the first request by readiness
  std::atomic<unsigned> polls_{0};  // since the last look at that
};

// Returns what io_uring can do here, for one world, or null and the reason in words, and errno.
backend* make_uring(std::string& why_not);

// `b`, if it is that.
inline uring* as_uring(backend* b) noexcept {
  return b && b->kind() == poller_kind::io_uring ? static_cast<uring*>(b) : nullptr;
}

}  // namespace weft::detail
