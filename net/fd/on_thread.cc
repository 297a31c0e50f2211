#include "net/fd/on_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "sched/fork.h"

namespace weft::detail {
namespace {

// What interrupts the thread's poll(2). Shared, for a context's function may ring late.
class bell {
 public:
  bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), error_(fd_ < 0 ? errno : 0) {}
  ~bell() {
    if (fd_ >= 0) close(fd_);
  }
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;
  // -1: it could not be made, for the reason error().
  int fd() const noexcept { return fd_; }
  int error() const noexcept { return error_; }
  void ring() const noexcept {
    const std::uint64_t one = 1;
    (void)!write(fd_, &one, sizeof one);
  }
  void silence() const noexcept {
    std::uint64_t rings = 0;
    (void)!read(fd_, &rings, sizeof rings);
  }

 private:
  int fd_;
  int error_;
};

// Made again where there was no descriptor left the last time.
[[gnu::noinline]] const std::shared_ptr<bell>& bell_of_thread() {
  static thread_local std::shared_ptr<bell> b;
  static thread_local std::uint32_t made_in = 0;
  if (!b || b->fd() < 0 || made_in != fork_generation()) {  // a forked child would share it with its parent
    b = std::make_shared<bell>();
    made_in = fork_generation();
  }
  return b;
}

void sleep_in_poll(const io_request& rq, const bell& b, std::int64_t deadline_ns) {
  pollfd at[2] = {{.fd = rq.fd, .events = rq.events, .revents = 0}, {.fd = b.fd(), .events = POLLIN, .revents = 0}};
  timespec left{};
  if (deadline_ns != never) {
    const std::int64_t ns = deadline_ns - now_ns();
    if (ns <= 0) return;
    left = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  }
  ppoll(at, 2, deadline_ns == never ? nullptr : &left, nullptr);
}

// What has ended the wait, if anything has.
wait_result why_over(direction& way, const io_op& op, const context* ctx) {
  const wait_result by = op.word.result();
  if (by == wait_result::closed || by == wait_result::timeout) return by;
  if (ctx && error_of(*ctx)) return wait_result::context;
  const std::int64_t deadline = way.deadline();
  return deadline != never && deadline <= now_ns() ? wait_result::timeout : wait_result::none;
}

}  // namespace

outcome perform_on_thread(direction& way, io_request& rq, const context* ctx) {
  const std::shared_ptr<bell> own = bell_of_thread();
  rq.op.g = self();
  rq.op.word.listen();
  rq.op.wake_fd = own->fd();
  for (;;) {
    const int res = rq.attempt();
    if (res == -EINTR) continue;
    if (res >= 0) return {res, {}};
    if (res != -EAGAIN) return {0, {-res, std::system_category()}};
    if (own->fd() < 0) return {0, std::error_code(own->error(), std::system_category())};
    own->silence();
    if (const wait_result e = way.listen(rq.op); e != wait_result::none) return {0, to_error(e, ctx)};
    {
      const auto stop = ctx ? std::make_unique<stop_func>(after_func(*ctx, [own] { own->ring(); })) : nullptr;
      if (why_over(way, rq.op, ctx) == wait_result::none) sleep_in_poll(rq, *own, way.deadline());
      if (stop) (*stop)();
    }
    way.stop_listening();
    if (const wait_result e = why_over(way, rq.op, ctx); e != wait_result::none) return {0, to_error(e, ctx)};
  }
}

}  // namespace weft::detail
