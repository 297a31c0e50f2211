// A signal's handler may do next to nothing, so it sets a flag and writes to an eventfd (the bell);
// a thread of our own reads it and does the rest. The thread is started by the first call of
// notify, and waits in read(2).
//
// Refused: signalfd, which needs the signal blocked in every thread, including threads that weft
// did not make.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <weft/os.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <vector>

#include "net/fd/open_socket.h"
#include "net/fd/quiet_thread.h"
#include "runtime/fatal.h"
#include "sched/fork.h"
#include "sched/threads.h"

namespace weft::os {
namespace {

constexpr int signals_end = 65;

struct wish {
  std::uint64_t id;
  std::array<bool, signals_end> wanted{};
  chan<int> to;  // or:
  std::function<void(int)> call;
};

// Written by handlers. Both live as long as the process.
constinit std::atomic<int> bell{-1};
constinit std::array<std::atomic<bool>, signals_end> come{};

struct office {
  std::mutex lock;
  std::vector<std::shared_ptr<const wish>> wishes;  // these under lock
  std::array<int, signals_end> wanted_by{};
  std::array<struct sigaction, signals_end> before{};
  std::uint64_t last_id = 0;
  bool quiet = false;  // the thread has found no signal with a receiver
};
office& the_office() {
  static office* const o = new office;  // its thread outlives static objects
  return *o;
}

void ring() noexcept {
  const std::uint64_t one = 1;
  constexpr int tries = 10;  // an error would be the loss of a signal
  for (int i = 0; i < tries; ++i)
    if (write(bell.load(std::memory_order_relaxed), &one, sizeof one) == sizeof one) return;
}

void note_signal(int sig) {
  const int saved = errno;
  come[static_cast<std::size_t>(sig)].store(true, std::memory_order_relaxed);
  ring();
  errno = saved;
}

void deliver(int sig) {
  std::vector<std::shared_ptr<const wish>> whose;
  {
    const std::lock_guard hold(the_office().lock);
    for (const auto& w : the_office().wishes)
      if (w->wanted[static_cast<std::size_t>(sig)]) whose.push_back(w);
  }
  for (const auto& w : whose) {
    if (w->call) w->call(sig);
    else (void)w->to.try_send(sig);
  }
}

void deliver_or_try_again(int sig) {
  try {
    deliver(sig);
  } catch (const std::bad_alloc&) {
    usleep(1000);
    note_signal(sig);
  }
}

// While no signal has a receiver the thread wakes no fiber, and a deadlock can be reported. Only
// the thread itself may set this: no other can exclude that it is about to send to a channel.
void set_quiet_locked(office& o, bool quiet) {
  if (quiet == o.quiet) return;
  o.quiet = quiet;
  weft::detail::note_quiet_helper(quiet ? 1 : -1);
}

void listen_for_ever() {
  for (;;) {
    std::uint64_t rings = 0;
    if (read(bell.load(std::memory_order_relaxed), &rings, sizeof rings) < 0) {
      const int error = weft::detail::last_error().value();
      if (error == EBADF) return;  // of a parent, in a forked child
      if (error != EINTR) usleep(1000);
    }
    for (int sig = 1; sig < signals_end; ++sig)
      if (come[static_cast<std::size_t>(sig)].exchange(false, std::memory_order_relaxed)) deliver_or_try_again(sig);
    office& o = the_office();
    const std::lock_guard hold(o.lock);
    set_quiet_locked(o, o.wishes.empty());
  }
}

void renew_office_after_fork();

// With the lock: makes the bell and the thread that reads it, once.
void open_office_locked() {
  if (bell.load(std::memory_order_relaxed) >= 0) return;
  const int fd = eventfd(0, EFD_CLOEXEC);
  if (fd < 0) throw std::system_error(weft::detail::last_error(), "signal_notify: no eventfd");
  bell.store(fd, std::memory_order_relaxed);
  if (const std::error_code e = weft::detail::start_quiet_thread(listen_for_ever)) {
    close(bell.exchange(-1, std::memory_order_relaxed));
    throw std::system_error(e, "signal_notify: no thread");
  }
  weft::detail::at_fork_renew(renew_office_after_fork);
}

// In a forked child: the bell is shared with the parent, and the thread is the parent's.
void renew_office_after_fork() {
  office& o = the_office();
  ::new (static_cast<void*>(&o.lock)) std::mutex;
  o.quiet = false;
  close(bell.exchange(-1, std::memory_order_relaxed));
  if (o.wishes.empty()) return;
  const std::lock_guard hold(o.lock);
  try {
    open_office_locked();
  } catch (const std::system_error&) {  // the next signal_notify() tries again
    return;
  }
  ring();  // for a signal that came before
}

std::uint64_t add(wish w, std::initializer_list<int> signals) {
  for (int sig : signals)
    if (sig < 1 || sig >= signals_end || sig == SIGKILL || sig == SIGSTOP)
      throw panic(fmt::format("signal_notify: signal {} cannot be caught", sig));
  office& o = the_office();
  weft::detail::catch_up_with_fork();
  const std::lock_guard hold(o.lock);
  open_office_locked();
  set_quiet_locked(o, false);
  for (int sig : signals) {
    const auto at = static_cast<std::size_t>(sig);
    if (w.wanted[at]) continue;
    w.wanted[at] = true;
    if (o.wanted_by[at]++ > 0) continue;
    struct sigaction ours {};
    ours.sa_handler = note_signal;
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    sigfillset(&ours.sa_mask);
    if (sigaction(sig, &ours, &o.before[at]) != 0) weft::detail::fatal("a signal handler cannot be set");
  }
  w.id = ++o.last_id;
  o.wishes.push_back(std::make_shared<const wish>(std::move(w)));
  return o.last_id;
}

template <class Is>
void drop(Is is) {
  office& o = the_office();
  const std::lock_guard hold(o.lock);
  std::erase_if(o.wishes, [&](const std::shared_ptr<const wish>& w) {
    if (!is(*w)) return false;
    for (int sig = 1; sig < signals_end; ++sig) {
      const auto at = static_cast<std::size_t>(sig);
      if (w->wanted[at] && --o.wanted_by[at] == 0) sigaction(sig, &o.before[at], nullptr);
    }
    return true;
  });
  if (!o.wishes.empty() || bell.load(std::memory_order_relaxed) < 0) return;
  weft::detail::expect_quiet_helper();
  ring();
}

}  // namespace

void signal_notify(const chan<int>& to, std::initializer_list<int> signals) {
  if (!to) throw panic("signal_notify: nil channel");
  wish w{};
  w.to = to;
  add(std::move(w), signals);
}

void signal_stop(const chan<int>& to) {
  drop([&](const wish& w) { return !w.call && w.to == to; });
}

void stop_signals::operator()() noexcept {
  if (const std::uint64_t id = wish_.exchange(0, std::memory_order_relaxed))
    drop([id](const wish& w) { return w.id == id; });
  cancel_();
}

signal_cancelable signal_context(const context& parent, std::initializer_list<int> signals) {
  auto [ctx, cancel] = with_cancel_cause(parent);
  auto shared = std::make_shared<cancel_cause_func>(std::move(cancel));
  auto [own, own_cancel] = with_cancel_cause(ctx);
  wish w{};
  w.call = [shared](int sig) { (*shared)(fmt::format("signal: {}", strsignal(sig))); };
  const std::uint64_t id = add(std::move(w), signals);
  return {std::move(own), stop_signals(id, std::move(own_cancel))};
}

}  // namespace weft::os
