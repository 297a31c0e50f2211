#include "net/poller/ring.h"

#include <fmt/format.h>
#include <weft/go.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "runtime/fatal.h"

namespace weft::detail {
namespace {

// What is passed on at a time: few enough for the cache, enough to make the system call cheap.
constexpr std::size_t batch = 64;

io_op* op_of(std::uint64_t name) noexcept { return reinterpret_cast<io_op*>(name & ~peer_bit); }

// How far ahead of a completion the memory of the next ones is prefetched.
constexpr unsigned ahead = 6;

}  // namespace

int ring::open(unsigned entries) noexcept {
  io_uring_params p{};
  p.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |
            IORING_SETUP_TASKRUN_FLAG;
  p.cq_entries = 8 * entries;
  if (const int e = io_uring_queue_init_params(entries, &raw_, &p); e < 0) {
    raw_.ring_fd = -1;
    return -e;
  }
  io_uring_ring_dontfork(&raw_);
  return 0;
}

ring::~ring() {
  if (raw_.ring_fd >= 0) io_uring_queue_exit(&raw_);
}

int ring::enter(unsigned n, unsigned flags) noexcept {
  const int r = io_uring_enter(static_cast<unsigned>(raw_.ring_fd), n, 0, flags, nullptr);
  if (r < 0 && !is_transient(r)) fatal(fmt::format("io_uring_enter is refused: {}", std::strerror(-r)));
  // What was not taken stays in the queue.
  if (n > 0) refused_.store(r < 0 || static_cast<unsigned>(r) < n, std::memory_order_relaxed);
  return r;
}

bool ring::push(io_request& rq) noexcept {
  if (put(rq)) return true;
  submit();
  return put(rq);
}

void ring::submit() noexcept {
  if (const unsigned n = unsubmitted()) enter(n, 0);
}

void ring::submit_if_stale() noexcept {
  const unsigned tail = io_uring_smp_load_acquire(raw_.sq.ktail);
  if (tail == seen_) submit();
  seen_ = tail;
}

void ring::cancel(const io_request& rq) noexcept {
  io_uring_sync_cancel_reg what{};
  what.addr = name_of(rq);
  what.timeout = {.tv_sec = 0, .tv_nsec = 0};
  while (!rq.op.word.done()) {
    submit();
    const int r = io_uring_register_sync_cancel(&raw_, &what);
    // Not found: it is completed already, or the kernel would not take the batch just now.
    if (r != -ENOENT && r != -EAGAIN && r != -EBUSY && r != -EINTR) return;
    if (r == -ENOENT && unsubmitted() == 0) return;
    yield();  // the scheduler reaps in between
  }
}

void ring::cancel_all() noexcept {
  io_uring_sync_cancel_reg what{};
  what.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  what.timeout = {.tv_sec = 0, .tv_nsec = 100'000'000};
  submit();
  io_uring_register_sync_cancel(&raw_, &what);
}

void ring::reap(ready_list& ready, look how) noexcept {
  if (how == look::with_system_call || needs_enter()) enter(unsubmitted(), IORING_ENTER_GETEVENTS);
  if (!has_completions()) return;
  const std::lock_guard hold(reap_lock_);
  unsigned head = at(raw_.cq.khead);
  const unsigned tail = io_uring_smp_load_acquire(raw_.cq.ktail);
  std::size_t n = 0;
  const auto pass_on = [&](const completion& c) {
    complete(op_of(c.data), c.res, ready);
    ++n;
  };
  for (; head != tail; ++head) {
    const io_uring_cqe& cqe = raw_.cq.cqes[head & raw_.cq.ring_mask];
    if (tail - head > ahead) __builtin_prefetch(op_of(raw_.cq.cqes[(head + ahead) & raw_.cq.ring_mask].user_data), 1);
    const bool others_first = n >= batch || first_ < line_.size();
    const completion c{cqe.user_data, cqe.res};
    if ((c.data & peer_bit) && others_first) line_.push_back(c);
    else pass_on(c);
  }
  io_uring_smp_store_release(raw_.cq.khead, head);
  for (; n < batch && first_ < line_.size(); ++first_) {
    if (line_.size() - first_ > ahead) __builtin_prefetch(op_of(line_[first_ + ahead].data), 1);
    pass_on(line_[first_]);
  }
  if (first_ > 2 * batch && first_ >= line_.size() - first_) {  // more than half is gone: no longer than what waits
    line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  in_line_.store(line_.size() - first_, std::memory_order_relaxed);
  completed_.store(completed_.load(std::memory_order_relaxed) + static_cast<unsigned>(n), std::memory_order_relaxed);
}

}  // namespace weft::detail
