// Waiting for a child, and killing it.
//
// A child's number is its own until it has been waited for, which others may do (SIGCHLD ignored, a
// waitpid(-1) of a library). So it is waited for and signalled by a descriptor (pidfd_open), by the
// poller, with no thread held. Where that call is refused a thread sleeps in waitid, leaves the
// child as it is and makes an eventfd readable.
//
// Refused: SIGCHLD, whose handler is the program's; wait4(-1), which takes the ends of children of
// others.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>

#include "net/fd/open_socket.h"
#include "net/fd/quiet_thread.h"
#include "net/os/child.h"

namespace weft::os {

using namespace weft::detail;

namespace {

// Waits in the kernel, and leaves the child to be waited for.
std::error_code sleep_until_end(pid_t pid) {
  for (;;) {
    siginfo_t how{};
    if (waitid(P_PID, static_cast<id_t>(pid), &how, WEXITED | WNOWAIT) == 0) return {};
    const std::error_code e = last_error();
    if (e.value() != EINTR) return e;
  }
}

const fs::file no_file;

}  // namespace

namespace detail {

void child::watch_end() {
  pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  // The child may have ended since then, been waited for by others, and its number given to another
  // process.
  siginfo_t any{};
  if (pidfd && waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &any, WEXITED | WNOHANG | WNOWAIT) != 0) pidfd.reset();
  if (pidfd) return;
  net::unique_fd bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), its_own(fcntl(bell.get(), F_DUPFD_CLOEXEC, 0));
  if (!bell || !its_own) return;
  const std::error_code e = start_quiet_thread([number = pid, fd = its_own.get()] {
    (void)sleep_until_end(number);
    const std::uint64_t one = 1;
    (void)!write(fd, &one, sizeof one);
    close(fd);
  });
  if (e) return;
  its_own.release();
  ended_bell = std::move(bell);
}

std::error_code child::wait_for_end(const context* bound) {
  int fd = pidfd ? pidfd.get() : ended_bell.get();
  if (fd < 0) {  // no descriptor could be made when it was started
    const std::lock_guard hold(lock);
    if (!pidfd && !ended_bell && !how) watch_end();
    fd = pidfd ? pidfd.get() : ended_bell.get();
  }
  if (fd < 0 && bound) return make_error_code(std::errc::too_many_files_open);
  if (fd >= 0) {
    const std::error_code e = bound ? net::wait_readable(*bound, fd) : net::wait_readable(fd);
    if (!e || bound) return e;
  }
  return blocking([&] { return sleep_until_end(pid); });
}

// It has ended.
result<exit_status> child::reap() {
  if (no_kill) (*no_kill)();
  const std::lock_guard hold(lock);
  if (how) return *how;
  siginfo_t end{};
  if (waitid(pidfd ? P_PIDFD : P_PID, static_cast<id_t>(pidfd ? pidfd.get() : pid), &end, WEXITED) != 0) {
    how = {{}, last_error()};
    return *how;
  }
  const bool exited = end.si_code == CLD_EXITED;
  how = {{.code = exited ? end.si_status : 0, .signal = exited ? 0 : end.si_status}, {}};
  if (killed_by_ctx && how->value.signal == SIGKILL) how->err = ctx->err();
  return *how;
}

// By the descriptor, which never names another process. Without one, only while the child can be
// waited for.
std::error_code child::signal_locked(int number) {
  if (how) return make_error_code(std::errc::no_such_process);
  if (pidfd) {
    if (syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0) == 0) return {};
    if (errno != ENOSYS) return last_error();
  }
  siginfo_t any{};
  if (waitid(P_PID, static_cast<id_t>(pid), &any, WEXITED | WNOHANG | WNOWAIT) != 0)
    return make_error_code(std::errc::no_such_process);
  return ::kill(pid, number) == 0 ? std::error_code() : last_error();
}

std::error_code child::signal(int number) {
  const std::lock_guard hold(lock);
  return signal_locked(number);
}

child::~child() {
  if (no_kill) (*no_kill)();
  if (pid == 0 || how) return;
  (void)signal(SIGKILL);
  (void)wait_for_end(nullptr);
  (void)reap();
}

}  // namespace detail

std::string exit_status::to_string() const {
  return signal ? fmt::format("signal: {}", strsignal(signal)) : fmt::format("exit status {}", code);
}

int process::pid() const noexcept { return c_ ? c_->pid : 0; }
const fs::file& process::in() const noexcept { return c_ ? c_->in : no_file; }
const fs::file& process::out() const noexcept { return c_ ? c_->out : no_file; }
const fs::file& process::err() const noexcept { return c_ ? c_->err : no_file; }

namespace {

result<exit_status> wait_for(detail::child* c, const context* bound) {
  if (!c) return {{}, weft::errc::closed};
  if (bound && bound->err()) return {{}, bound->err()};
  {
    const std::lock_guard hold(c->lock);
    if (c->how) return *c->how;
  }
  if (const std::error_code e = c->wait_for_end(bound); bound && e) return {{}, e};
  return c->reap();
}

}  // namespace

result<exit_status> process::wait() const { return wait_for(c_.get(), nullptr); }
result<exit_status> process::wait(const context& ctx) const { return wait_for(c_.get(), &ctx); }

std::error_code process::signal(int number) const {
  return c_ ? c_->signal(number) : make_error_code(weft::errc::closed);
}
std::error_code process::kill() const { return signal(SIGKILL); }

}  // namespace weft::os
