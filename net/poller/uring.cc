#include "net/poller/uring.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <weft/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "net/poller/epoll.h"
#include "net/poller/on_p.h"
#include "net/poller/sleep_until.h"
#include "runtime/fatal.h"

namespace weft::detail {
namespace {

constexpr unsigned ring_entries = 512;

// What an event in sleep_ says.
constexpr std::uint64_t from_bell = 0, from_ring = 1, from_readiness = 2;

// While all Ps are busy, each such poll looks at the epoll too, which costs a system call. Each, if
// sockets wait there.
constexpr unsigned polls_per_look = 8;

// Sleep at most for so long while the kernel has refused to take operations.
constexpr std::int64_t try_again_ns = 2'000'000;

// The operations that we cannot do without came with 5.19 and before, cancelling by a system call
// with 6.0.
bool can_cancel(io_uring& r) noexcept {
  io_uring_sync_cancel_reg what{};
  what.addr = 1;  // no operation has this address
  return io_uring_register_sync_cancel(&r, &what) == -ENOENT;
}

// A sandbox may let us make rings and not enter them. Of an operation that does nothing. 0, or an
// error number.
int try_to_enter(io_uring& r) noexcept {
  io_uring_sqe* const sqe = io_uring_get_sqe(&r);
  if (!sqe) return EAGAIN;
  io_uring_prep_nop(sqe);
  __atomic_store_n(r.sq.ktail, 1U, __ATOMIC_RELEASE);
  int n = -EAGAIN;
  for (int tries = 0; n < 0 && is_transient(n) && tries < 20; ++tries) {
    if (tries > 0) usleep(1000);
    n = io_uring_enter(static_cast<unsigned>(r.ring_fd), 1, 1, IORING_ENTER_GETEVENTS, nullptr);
  }
  return n < 0 ? -n : 0;
}

}  // namespace

// Note [bell]: who wakes writes its note first and then rings; the sleeper takes the bell down as
// its last act and then looks for a note. A waker that finds it rung adds to what that last act
// acquires.
//
// Note [rings]: a ring is complete before its slot, or the count that covers it, is stored; readers
// acquire that.

int uring::open() noexcept {
  io_uring probe{};
  if (const int e = io_uring_queue_init(4, &probe, 0); e < 0) return -e;
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_FAST_POLL;
  const bool fits = (probe.features & needed) == needed && can_cancel(probe);
  const int refused = fits ? try_to_enter(probe) : ENOSYS;
  io_uring_queue_exit(&probe);
  if (refused) return refused;
  bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  sleep_ = epoll_create1(EPOLL_CLOEXEC);
  if (bell_ < 0 || sleep_ < 0) return errno;
  epoll_event e{.events = EPOLLIN | EPOLLET, .data = {.u64 = from_bell}};
  if (epoll_ctl(sleep_, EPOLL_CTL_ADD, bell_, &e) != 0) return errno;
  return add_ring(0);
}

uring::~uring() {
  each([](ring& r) { delete &r; });
  if (bell_ >= 0) close(bell_);
  if (sleep_ >= 0) close(sleep_);
}

// A ring for P number p; where there can be no more, it shares the first.
int uring::add_ring(int p) noexcept {
  const std::lock_guard hold(adding_);
  if (ring_of(p)) return 0;
  const int n = rings_.load(std::memory_order_relaxed);
  auto made = std::make_unique<ring>();
  int error = made->open(ring_entries);
  epoll_event e{.events = EPOLLIN, .data = {.u64 = from_ring}};
  if (!error && epoll_ctl(sleep_, EPOLL_CTL_ADD, made->fd(), &e) != 0) error = errno;
  auto& slot = of_p_[static_cast<std::size_t>(p)];
  if (error) {
    if (n == 0) return error;
    log_line(fmt::format("no io_uring for P {}: {}; it shares that of P 0", p, std::strerror(error)));
    slot.store(made_[0], std::memory_order_release);  // [rings]
    return 0;
  }
  made_[static_cast<std::size_t>(n)] = made.get();
  slot.store(made.release(), std::memory_order_release);  // [rings]
  rings_.store(n + 1, std::memory_order_release);  // [rings]
  return 0;
}

epoll_poller* uring::epoll_for_readiness() {
  if (epoll_poller* e = readiness()) return e;
  std::string why_not;
  epoll_poller* const made = the_epoll(why_not);
  if (!made) return nullptr;
  epoll_event e{.events = EPOLLIN, .data = {.u64 = from_readiness}};
  if (epoll_ctl(sleep_, EPOLL_CTL_ADD, made->fd(), &e) != 0 && errno != EEXIST) return nullptr;
  readiness_.store(made, std::memory_order_release);  // [rings]
  return made;
}

void uring::look_at_readiness(ready_list& ready) {
  epoll_poller* const e = readiness();
  polls_.store(0, std::memory_order_relaxed);
  if (e) e->collect(ready);
}

void uring::start(io_request& rq) {
  for (int tries = 0;; ++tries) {
    int p = 0;
    bool full = false;
    {
      const on_p here;
      begin_op(rq.op, here.g());
      p = here.p()->id;
      if (ring* r = ring_of(p)) [[likely]] {
        if (r->push(rq)) return;
        full = true;
      }
    }
    if (!full) add_ring(p);
    else if (tries < 16) yield();  // the scheduler reaps in between
    else sleep(std::chrono::milliseconds(1));
  }
}

bool uring::has_waiters() const noexcept {
  const epoll_poller* const e = readiness();
  bool any = e && e->has_waiters();
  each([&](const ring& r) { any = any || r.busy(); });
  return any;
}

void uring::poll(P& p, ready_list& ready) {
  ring* r = ring_of(p.id);
  if (r) r->reap(ready, r->unsubmitted() ? ring::look::with_system_call : ring::look::in_memory);
  if (r && r->refused()) wake();  // this M may have nothing more to run: the sleeper tries again
  if (const epoll_poller* const e = readiness(); e && e->has_waiters()) {
    const unsigned n = polls_.load(std::memory_order_relaxed) + 1;
    polls_.store(n, std::memory_order_relaxed);  // counts less where two Ps do this at the same time
    if (n >= polls_per_look || sockets_by_readiness(*this_m()->w)) look_at_readiness(ready);
  }
  if (!ready.empty() || rings_.load(std::memory_order_relaxed) == 1) return;
  each([&](ring& other) {
    if (&other != r && other.refused()) other.submit();
  });
  each([&](ring& other) {  // as good as stealing: completions that stand in line at a busy P
    if (ready.empty() && &other != r && other.has_completions()) other.reap(ready, ring::look::in_memory);
  });
}

void uring::wait(std::int64_t deadline_ns, ready_list& ready) {
  epoll_event events[8];
  const auto look = [&] {
    each([&](ring& r) {
      do r.reap(ready, ring::look::in_memory);
      while (ready.empty() && r.has_completions());
    });
  };
  bool refused = false;
  each([&](ring& r) {
    if (r.refused()) r.submit();
    else r.submit_if_stale();
    refused = refused || r.refused();
  });
  if (refused) deadline_ns = std::min(deadline_ns, now_ns() + try_again_ns);
  look();
  if (ready.empty() && deadline_ns > now_ns()) {
    spin_.until([&] {
      bool some = rung_.load(std::memory_order_relaxed);
      each([&](const ring& r) { some = some || r.has_completions() || r.needs_enter(); });
      return some;
    });
    look();
  }
  if (ready.empty()) {
    const int n = epoll_until(sleep_, events, deadline_ns);
    for (int i = 0; i < n; ++i)
      if (events[i].data.u64 == from_readiness) look_at_readiness(ready);
    look();
  }
  rung_.exchange(false, std::memory_order_acq_rel);  // [bell]
}

void uring::wake() noexcept {
  if (rung_.exchange(true, std::memory_order_acq_rel)) return;  // [bell] rung already: that wait ends after this
  const std::uint64_t one = 1;
  (void)!write(bell_, &one, sizeof one);
}

void uring::flush(P& p) {
  ring* const r = ring_of(p.id);
  if (!r) return;
  r->submit();
  if (r->refused()) wake();  // the sleeper tries again
}

void uring::end_world(bool all_gone) {
  each([](ring& r) { r.cancel_all(); });
  if (epoll_poller* e = readiness()) e->end_world(all_gone);
  // Each completion is there or on its way: the operations of threads that have ended were
  // cancelled with them.
  const std::int64_t until = now_ns() + 1'000'000'000;
  while (has_waiters() && now_ns() < until) {
    ready_list never_run;
    each([&](ring& r) { r.reap(never_run, ring::look::with_system_call); });
  }
  if (has_waiters()) log_line("the kernel keeps operations of a world that has ended; its memory is kept too");
  else if (all_gone) delete this;
}

backend* make_uring(std::string& why_not) {
  auto made = std::make_unique<uring>();
  const int e = made->open();
  if (e == 0) return made.release();
  errno = e;
  why_not = e == ENOSYS ? "the kernel lacks it, or parts that weft needs" : std::strerror(e);
  return nullptr;
}

}  // namespace weft::detail
