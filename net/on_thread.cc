#include "net/on_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>

namespace weft::detail {
namespace {

// What interrupts the thread's poll(2). Shared, for a context's function may ring late.
class bell {
 public:
  bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~bell() {
    if (fd_ >= 0) close(fd_);
  }
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;
  int fd() const noexcept { return fd_; }
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
};

[[gnu::noinline]] const std::shared_ptr<bell>& bell_of_thread() {
  static thread_local const auto b = std::make_shared<bell>();
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
ending why_over(half& h, const io_op& op, const context* ctx) {
  const std::uint32_t by = op.word.decided();
  if (by == op_word::by_close) return ending::closed;
  if (by == op_word::by_timer) return ending::timeout;
  if (ctx && error_of(*ctx)) return ending::context;
  const std::int64_t deadline = h.deadline();
  return deadline != never && deadline <= now_ns() ? ending::timeout : ending::none;
}

}  // namespace

outcome perform_on_thread(half& h, io_request& rq, const context* ctx) {
  const std::shared_ptr<bell> own = bell_of_thread();
  rq.op.g = self();
  rq.op.word.listen();
  rq.op.wake_fd = own->fd();
  for (;;) {
    const int res = rq.attempt();
    if (res == -EINTR) continue;
    if (res >= 0) return {res, {}};
    if (res != -EAGAIN) return {0, {-res, std::system_category()}};
    own->silence();
    if (const ending e = h.listen(rq.op); e != ending::none) return {0, to_error(e, ctx)};
    {
      const auto stop = ctx ? std::make_unique<stop_func>(after_func(*ctx, [own] { own->ring(); })) : nullptr;
      if (why_over(h, rq.op, ctx) == ending::none) sleep_in_poll(rq, *own, h.deadline());
      if (stop) (*stop)();
    }
    h.stop_listening();
    if (const ending e = why_over(h, rq.op, ctx); e != ending::none) return {0, to_error(e, ctx)};
  }
}

}  // namespace weft::detail
