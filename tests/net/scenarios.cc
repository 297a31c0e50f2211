// Programs whose end, or whose words on standard error, are the fact.
#include <weft/weft.h>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "net/fd/descriptor.h"

using namespace weft;
using namespace std::chrono_literals;

namespace {

// As containers do it: system calls with numbers from first to last fail.
void refuse(unsigned first, unsigned last) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),           BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = sizeof code / sizeof code[0], .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("seccomp");
    _exit(77);
  }
}

void children() {
  std::puts(os::command("sh", {"-c", "exit 3"}).run().unwrap().to_string().c_str());
  auto p = os::command("sleep", {"1000"}).start().unwrap();
  {
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    if (p.wait(ctx).err != errc::deadline_exceeded) std::puts("the wait is not bounded");
  }
  p.kill();
  std::puts(p.wait().unwrap().to_string().c_str());
  auto [ctx, cancel] = with_cancel(background());
  auto killed = os::command("sleep", {"1000"}).start(ctx).unwrap();
  cancel();
  std::puts(killed.wait().err.message().c_str());
  auto dropped = os::command("sleep", {"1000"}).start().unwrap();
}

// "hello" through a connection of its own.
void talk() {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  go([l] {
    auto c = l.accept().unwrap();
    (void)c.write("hello").err;
  });
  auto c = net::dial("tcp", l.addr().to_string()).unwrap();
  char text[6]{};
  (void)c.read(std::as_writable_bytes(std::span(text, 5))).err;
  std::puts(text);
}

// No one but the monitor can learn of what has become ready while the P's only fiber blocks. It is
// no deadlock.
void ready_behind_a_blocked_p() {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  auto a = net::dial("tcp", l.addr().to_string()).unwrap();
  auto b = l.accept().unwrap();
  auto heard = make_chan<void>();
  go([&] {
    std::byte one[1];
    while (b.read(one).value == 1) heard.send();
    heard.close();
  });
  for (int i = 0; i < 40; ++i) {
    yield();  // it waits for the connection
    if (write(a.fd(), "x", 1) != 1) std::abort();
    usleep(static_cast<useconds_t>(i % 8 * 500));
    heard.recv();
  }
  (void)a.close();
  heard.recv();
  std::puts("heard all");
}

// The process dies while two fibers wait for connections.
void killed_as_it_listens() {
  const auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  for (int i = 0; i < 2; ++i) go([l] { (void)l.accept().err; });
  sleep(2ms);
  std::puts(l.addr().to_string().c_str());
  std::fflush(stdout);
  std::raise(SIGKILL);
}

int in_world(void (*f)()) { return run(options{.maxprocs = 2}, f); }

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (std::strcmp(what, "talk") == 0) return in_world(talk);
  if (std::strcmp(what, "refused") == 0) {
    refuse(SYS_io_uring_setup, SYS_io_uring_register);
    return in_world(talk);
  }
  if (std::strcmp(what, "children-without-pidfd") == 0) {
    refuse(SYS_pidfd_open, SYS_pidfd_open);
    return in_world(children);
  }
  if (std::strcmp(what, "accept-for-ever") == 0)
    return in_world([] { (void)net::listen("tcp", "127.0.0.1:0").unwrap().accept().err; });
  if (std::strcmp(what, "killed-as-it-listens") == 0) return in_world(killed_as_it_listens);
  if (std::strcmp(what, "deadlock-beside-a-listener") == 0)
    return in_world([] {
      talk();
      auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
      make_chan<int>().recv();
    });
  if (std::strcmp(what, "deadlock-after-signals") == 0)
    return in_world([] {
      auto c = make_chan<int>(1);
      os::signal_notify(c, {SIGUSR1});
      std::raise(SIGUSR1);
      std::printf("signal %d\n", c.recv().value());
      os::signal_stop(c);
      make_chan<int>().recv();
    });
  if (std::strcmp(what, "signals-in-threads-of-another") == 0)
    return run(options{.maxprocs = 1}, [] {
      auto c = make_chan<int>(1);
      os::signal_notify(c, {SIGUSR1});
      for (int i = 0; i < 3; ++i) {  // the main fiber waits, and continues in a thread that the listener has started
        std::raise(SIGUSR1);
        c.recv();
      }
      std::puts("three signals");
    });
  if (std::strcmp(what, "waits-for-signal") == 0)
    return in_world([] {
      auto c = make_chan<int>(1);
      os::signal_notify(c, {SIGALRM});
      alarm(1);
      std::printf("signal %d\n", c.recv().value());
    });
  if (std::strcmp(what, "ready-behind-a-blocked-p") == 0) return run(options{.maxprocs = 1}, ready_behind_a_blocked_p);
  if (std::strcmp(what, "deadlock-in-a-pipe") == 0)
    return in_world([] {
      auto [a, b] = net::pipe();
      (void)a.write("nobody reads").err;
    });
  if (std::strcmp(what, "operation-ends-twice") == 0)
    return in_world([] {
      auto* d = new detail::descriptor(eventfd(0, EFD_CLOEXEC), {}, {});
      d->enter();
      d->leave();
      d->leave();
    });
  if (std::strcmp(what, "turn-ends-twice") == 0)
    return in_world([] {
      auto* d = new detail::descriptor(eventfd(0, EFD_CLOEXEC), {}, {});
      (void)d->lock(detail::direction_kind::reading, nullptr);
      d->unlock(detail::direction_kind::reading);
      d->unlock(detail::direction_kind::reading);
    });
  std::fprintf(stderr, "no scenario '%s'\n", what);
  return 1;
}
