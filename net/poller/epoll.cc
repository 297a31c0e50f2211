#include "net/poller/epoll.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "net/poller/sleep_until.h"

namespace weft::detail {
namespace {

constexpr std::uint64_t the_bell = UINT64_MAX;
constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

std::uint64_t name_of(const epoll_slot& s) noexcept {
  return std::uint64_t{s.uses.load(std::memory_order_relaxed)} << 32 | s.index;
}

std::atomic<io_op*>& at(epoll_slot& s, half_of h) noexcept { return s.half[static_cast<int>(h)]; }

// An edge for that half.
void announce(std::atomic<io_op*>& half, ready_list& ready) {
  io_op* found = half.load(std::memory_order_acquire);  // [edge]
  for (;;) {
    if (found == epoll_slot::ready()) return;
    io_op* const left = found ? nullptr : epoll_slot::ready();
    // [edge] who takes an operation out is the one that completes it
    if (half.compare_exchange_weak(found, left, std::memory_order_acq_rel, std::memory_order_acquire)) break;
  }
  if (found) complete(found, 0, ready);
}

}  // namespace

// Note [edge]: a fiber releases its operation into the slot; the M that finds it there by an edge acquires it, takes
// it out and completes it. An edge that finds none leaves a mark, which the fiber acquires before it tries again.

bool epoll_slot::arm(half_of h, io_op& op) noexcept {
  io_op* none = nullptr;
  if (at(*this, h).compare_exchange_strong(none, &op, std::memory_order_acq_rel, std::memory_order_acquire))  // [edge]
    return true;
  at(*this, h).store(nullptr, std::memory_order_relaxed);
  return false;
}

bool epoll_slot::disarm(half_of h, io_op& op) noexcept {
  io_op* mine = &op;
  return at(*this, h).compare_exchange_strong(mine, nullptr, std::memory_order_acq_rel,  // [edge]
                                              std::memory_order_acquire);  // [edge]
}

bool epoll_slot::edge_waits(half_of h) const noexcept {
  return half[static_cast<int>(h)].load(std::memory_order_acquire) == ready();  // [edge]
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

// Note [slots]: a chunk is complete before its place is stored; whoever has an event for it acquires that.

epoll_slot* epoll_poller::watch(int fd) {
  epoll_slot* s = take_slot();
  if (!s) {
    errno = ENOMEM;
    return nullptr;
  }
  s->hung_up.store(false, std::memory_order_relaxed);
  for (auto& half : s->half) half.store(nullptr, std::memory_order_relaxed);
  epoll_event e{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = name_of(*s)}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e) == 0) return s;
  const int why = errno;
  const std::lock_guard hold(lock_);
  s->next_free = free_;
  free_ = s;
  errno = why;
  return nullptr;
}

void epoll_poller::unwatch(epoll_slot* s, int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
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
  if (events & ends) s.hung_up.store(true, std::memory_order_relaxed);
  if (events & (EPOLLIN | ends)) announce(s.half[0], ready);
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) announce(s.half[1], ready);
}

void epoll_poller::poll(P&, ready_list& ready) { wait(0, ready); }

void epoll_poller::wait(std::int64_t deadline_ns, ready_list& ready) {
  const bool sleeper = deadline_ns != 0;
  epoll_event events[128];
  const int n = epoll_until(epoll_, events, deadline_ns);
  for (int i = 0; i < n; ++i) {
    // Whoever only polls has taken an edge that was for the sleeper, which would sleep on: another one for it.
    if (events[i].data.u64 == the_bell && !sleeper && rung_.load(std::memory_order_relaxed)) ring();
    deliver(events[i].data.u64, events[i].events, ready);
  }
  if (sleeper) rung_.exchange(false, std::memory_order_acq_rel);  // [bell]
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
      for (auto& half : s.half) half.store(epoll_slot::ready(), std::memory_order_relaxed);
  waiters_.store(0, std::memory_order_relaxed);
}

backend* the_epoll(std::string& why_not) {
  static epoll_poller* const poller = [] {
    auto made = std::make_unique<epoll_poller>();
    return made->open() == 0 ? made.release() : nullptr;
  }();
  if (!poller) why_not = std::strerror(errno);
  return poller;
}

}  // namespace weft::detail
