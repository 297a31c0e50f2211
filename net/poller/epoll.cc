#include "net/poller/epoll.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>

#include "net/poller/sleep_until.h"
#include "runtime/fatal.h"
#include "sched/fork.h"

namespace weft::detail {
namespace {

constexpr std::uint64_t the_bell = UINT64_MAX;
constexpr std::uint32_t watched_events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

std::uint64_t name_of(const epoll_slot& s) noexcept {
  return std::uint64_t{s.uses.load(std::memory_order_relaxed)} << 32 | s.index;
}

std::atomic<io_op*>& at(epoll_slot& s, direction_kind which) noexcept { return s.waiting[static_cast<int>(which)]; }

// An edge has come for that direction.
void announce(std::atomic<io_op*>& waiting, ready_list& ready) {
  io_op* found = waiting.load(std::memory_order_acquire);  // [edge]
  for (;;) {
    if (found == epoll_slot::ready()) return;
    io_op* const left = found ? nullptr : epoll_slot::ready();
    // [edge] the thread that takes an operation out completes it
    if (waiting.compare_exchange_weak(found, left, std::memory_order_acq_rel, std::memory_order_acquire)) break;
  }
  if (found) complete(found, 0, ready);
}

}  // namespace

// Note [edge]: a fiber releases its operation into the slot; the M that finds it there by an edge
// acquires it, takes it out and completes it. An edge that finds none leaves a mark, which the
// fiber acquires before it tries again.

bool epoll_slot::arm(direction_kind which, io_op& op) noexcept {
  io_op* none = nullptr;
  if (at(*this, which)
          .compare_exchange_strong(none, &op, std::memory_order_acq_rel, std::memory_order_acquire))  // [edge]
    return true;
  at(*this, which).store(nullptr, std::memory_order_relaxed);
  return false;
}

bool epoll_slot::disarm(direction_kind which, io_op& op) noexcept {
  io_op* mine = &op;
  return at(*this, which)
      .compare_exchange_strong(mine, nullptr, std::memory_order_acq_rel,  // [edge]
                               std::memory_order_acquire);  // [edge]
}

bool epoll_slot::edge_waits(direction_kind which) const noexcept {
  return waiting[static_cast<int>(which)].load(std::memory_order_acquire) == ready();  // [edge]
}

epoll_poller::~epoll_poller() {
  for (const int fd : {epoll_, bell_})
    if (fd >= 0) close(fd);
}

int epoll_poller::open() noexcept {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || bell_ < 0) return errno;
  epoll_event e{.events = EPOLLIN | EPOLLET, .data = {.u64 = the_bell}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &e) == 0 ? 0 : errno;
}

epoll_slot* epoll_poller::take_slot() {
  const std::lock_guard hold(lock_);
  if (!free_) {
    if (count_ == chunk * chunks) return nullptr;
    auto fresh = std::make_unique<slots>();
    for (epoll_slot& s : *fresh) {
      s.index = count_++;
      s.next_free = free_;
      free_ = &s;
    }
    made_[(count_ - 1) / chunk].store(fresh.release(), std::memory_order_release);  // [slots]
  }
  epoll_slot* s = free_;
  free_ = s->next_free;
  return s;
}

// Note [slots]: a chunk is complete before its place is stored; a reader of an event for it
// acquires that.

epoll_slot* epoll_poller::watch(int fd) {
  epoll_slot* s = take_slot();
  if (!s) {
    errno = ENOMEM;
    return nullptr;
  }
  s->short_reads_prove_nothing.store(false, std::memory_order_relaxed);
  for (auto& w : s->waiting) w.store(nullptr, std::memory_order_relaxed);
  epoll_event e{.events = watched_events, .data = {.u64 = name_of(*s)}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e) == 0) {
    s->fd = fd;
    return s;
  }
  const int why = errno;
  const std::lock_guard hold(lock_);
  s->next_free = free_;
  free_ = s;
  errno = why;
  return nullptr;
}

void epoll_poller::unwatch(epoll_slot* s, int fd) noexcept {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  s->fd = -1;
  s->uses.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard hold(lock_);
  s->next_free = free_;
  free_ = s;
}

void epoll_poller::deliver(std::uint64_t data, std::uint32_t events, ready_list& ready) {
  if (data == the_bell) return;
  const auto index = static_cast<std::uint32_t>(data);
  epoll_slot& s = (*made_[index / chunk].load(std::memory_order_acquire))[index % chunk];  // [slots]
  if (name_of(s) != data) return;
  // One that slips through and meets the slot's next user costs it a failed attempt, and no more.
  if (events & (ends | EPOLLPRI)) s.short_reads_prove_nothing.store(true, std::memory_order_relaxed);
  if (events & (EPOLLIN | EPOLLPRI | ends)) announce(s.waiting[0], ready);
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) announce(s.waiting[1], ready);
}

void epoll_poller::poll(P&, ready_list& ready) { wait(0, ready); }

void epoll_poller::wait(std::int64_t deadline_ns, ready_list& ready) {
  const bool sleeper = deadline_ns != 0;
  epoll_event events[128];
  const int n = epoll_until(epoll_, events, deadline_ns);
  for (int i = 0; i < n; ++i) {
    // A poll has taken the edge that was for the sleeper, which would not wake up: another one for
    // it.
    if (events[i].data.u64 == the_bell && !sleeper && rung_.load(std::memory_order_relaxed)) ring();
    deliver(events[i].data.u64, events[i].events, ready);
  }
  if (sleeper) rung_.exchange(false, std::memory_order_acq_rel);  // [bell]
}

void epoll_poller::collect(ready_list& ready) {
  epoll_event events[128];
  const int n = epoll_until(epoll_, events, 0);
  for (int i = 0; i < n; ++i) deliver(events[i].data.u64, events[i].events, ready);
}

void epoll_poller::wake() noexcept {
  if (!rung_.exchange(true, std::memory_order_acq_rel)) ring();  // [bell]
}

void epoll_poller::ring() noexcept {
  const std::uint64_t one = 1;
  (void)!write(bell_, &one, sizeof one);
}

// What its fibers were waiting for is forgotten: they never run again.
void epoll_poller::end_world(bool) {
  const std::lock_guard hold(lock_);
  for (std::uint32_t i = 0; i < count_; i += chunk)
    for (epoll_slot& s : *made_[i / chunk].load(std::memory_order_acquire))  // [slots]
      for (auto& w : s.waiting) w.store(epoll_slot::ready(), std::memory_order_relaxed);
  waiters_.store(0, std::memory_order_relaxed);
  rung_.store(false, std::memory_order_relaxed);  // no sleeper will take that down
}

void epoll_poller::renew_after_fork() {
  close(epoll_);
  close(bell_);
  if (open() != 0) fatal("a forked child cannot have an epoll");
  ::new (static_cast<void*>(&lock_)) spin_lock;
  rung_.store(false, std::memory_order_relaxed);
  end_world(true);
  free_ = nullptr;
  for (std::uint32_t i = 0; i < count_; ++i) {
    epoll_slot& s = (*made_[i / chunk].load(std::memory_order_acquire))[i % chunk];  // [slots]
    epoll_event e{.events = watched_events, .data = {.u64 = name_of(s)}};
    if (s.fd >= 0) {
      epoll_ctl(epoll_, EPOLL_CTL_ADD, s.fd, &e);  // fails if the program has closed the number itself
      continue;
    }
    s.next_free = free_;
    free_ = &s;
  }
}

namespace {
epoll_poller* of_process = nullptr;
}  // namespace

// Made again if there was no descriptor left the last time.
epoll_poller* the_epoll(std::string& why_not) {
  static std::mutex making;
  const std::lock_guard hold(making);
  if (!of_process) {
    auto made = std::make_unique<epoll_poller>();
    if (const int e = made->open()) {
      why_not = std::strerror(e);
      errno = e;
      return nullptr;
    }
    of_process = made.release();
  }
  at_fork_renew([] { of_process->renew_after_fork(); });
  return of_process;
}

}  // namespace weft::detail
