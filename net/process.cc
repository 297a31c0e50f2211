// Waiting for a child, and killing it.
//
// A child's number is its own until it has been waited for. So signals and the last wait exclude each other, and the
// long wait before that is for a descriptor (pidfd_open), by the poller, with no thread held. Where that call is
// refused a thread sleeps in waitid, leaves the child as it is and makes an eventfd readable.
//
// Refused: SIGCHLD, whose handler is the program's; wait4(-1), which takes the ends of children of others.
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
#include <thread>

#include "net/child.h"
#include "net/open_socket.h"

namespace weft::os {

using namespace detail;

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

// With all signals blocked: they are for threads that know what to do.
void on_quiet_thread(auto f) {
  sigset_t all, own;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &own);
  try {
    std::thread(std::move(f)).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &own, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &own, nullptr);
}

const fs::file no_file;

}  // namespace

namespace impl {

net::unique_fd watch_end(const std::shared_ptr<child>& c) {
  net::unique_fd watched(static_cast<int>(syscall(SYS_pidfd_open, c->pid, 0)));
  if (watched) return watched;
  net::unique_fd bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), its_own(fcntl(bell.get(), F_DUPFD_CLOEXEC, 0));
  if (!bell || !its_own) return {};
  try {
    on_quiet_thread([pid = c->pid, fd = its_own.get()] {
      (void)sleep_until_end(pid);
      const std::uint64_t one = 1;
      (void)!write(fd, &one, sizeof one);
      close(fd);
    });
    its_own.release();
  } catch (const std::system_error&) {
    return {};
  }
  return bell;
}

std::error_code child::wait_for_end(const context* bound) {
  if (ended) {
    const std::error_code e = bound ? net::wait_readable(*bound, ended.get()) : net::wait_readable(ended.get());
    if (!e || (bound && bound->err())) return e;
  }
  return blocking([&] { return sleep_until_end(pid); });
}

// It has ended.
result<exit_status> child::reap() {
  if (no_kill) (*no_kill)();
  const std::lock_guard hold(lock);
  if (how) return *how;
  siginfo_t end{};
  if (waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED) != 0) {
    how = {{}, last_error()};
    return *how;
  }
  const bool exited = end.si_code == CLD_EXITED;
  how = {{.code = exited ? end.si_status : 0, .signal = exited ? 0 : end.si_status}, {}};
  if (killed_by_ctx && how->value.signal == SIGKILL) how->err = ctx->err();
  return *how;
}

std::error_code child::signal(int number) {
  const std::lock_guard hold(lock);
  if (how) return make_error_code(std::errc::no_such_process);
  return ::kill(pid, number) == 0 ? std::error_code() : last_error();
}

child::~child() {
  if (no_kill) (*no_kill)();
  if (pid == 0 || how) return;
  (void)signal(SIGKILL);
  (void)wait_for_end(nullptr);
  (void)reap();
}

}  // namespace impl

std::string exit_status::to_string() const {
  return signal ? fmt::format("signal: {}", strsignal(signal)) : fmt::format("exit status {}", code);
}

int process::pid() const noexcept { return c_ ? c_->pid : 0; }
const fs::file& process::in() const noexcept { return c_ ? c_->in : no_file; }
const fs::file& process::out() const noexcept { return c_ ? c_->out : no_file; }
const fs::file& process::err() const noexcept { return c_ ? c_->err : no_file; }

namespace {

result<exit_status> wait_for(impl::child* c, const context* bound) {
  if (!c) return {{}, errc::closed};
  if (bound && bound->err()) return {{}, bound->err()};
  {
    const std::lock_guard hold(c->lock);
    if (c->how) return *c->how;
  }
  if (const std::error_code e = c->wait_for_end(bound); bound && e && e == bound->err()) return {{}, e};
  return c->reap();
}

}  // namespace

result<exit_status> process::wait() const { return wait_for(c_.get(), nullptr); }
result<exit_status> process::wait(const context& ctx) const { return wait_for(c_.get(), &ctx); }

std::error_code process::signal(int number) const { return c_ ? c_->signal(number) : make_error_code(errc::closed); }
std::error_code process::kill() const { return signal(SIGKILL); }

}  // namespace weft::os
