// Faults of memory, threads and processes that come from outside. See scenarios.cc.
#include <alloca.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "sched/g.h"
#include "tests/diag/actors.h"
#include "tests/support/fork.h"

namespace {

volatile char sink;

// Writes a few bytes at the far end of a frame, as a line that is read into a large buffer does.
template <std::size_t size>
[[gnu::noinline]] void read_a_line() {
  volatile char line[size];
  for (std::size_t i = 0; i < 64; ++i) line[i] = 0x41;
  asm volatile("" ::"r"(line) : "memory");
}

// Goes down until the stack has `left` more bytes, then makes the frame.
[[gnu::noinline]] void deeper(std::uintptr_t until, void (*frame)()) {
  volatile char mine[256];
  mine[0] = 1;
  asm volatile("" ::"r"(mine) : "memory");
  if (reinterpret_cast<std::uintptr_t>(mine) > until) deeper(until, frame);
  else frame();
  WEFT_TEST_KEEP_FRAME;
}

constexpr std::size_t left = 3 << 10;

// Among fibers that check their own locals: a frame that steps over its guard would change them.
int leap(void (*frame)()) {
  return run(options{.maxprocs = 2}, [frame] {
    std::atomic<int> changed{0};
    const auto gate = make_chan<void>();
    wait_group others;
    for (unsigned i = 0; i < 32; ++i)
      others.go([&changed, gate, i] {
        volatile unsigned mine[800];
        for (auto& e : mine) e = 0xC0FFEE00U + i;
        gate.recv();
        for (auto& e : mine)
          if (e != 0xC0FFEE00U + i) ++changed;
      });
    sleep(20ms);
    wait_group one;
    one.go([frame] { deeper(reinterpret_cast<std::uintptr_t>(weft::detail::self()->where.bottom) + left, frame); });
    one.wait();
    gate.close();
    others.wait();
    std::printf("no overflow was reported, %d words of other fibers changed\n", changed.load());
  });
}

[[gnu::noinline]] void leap_by_alloca() {
  auto* p = static_cast<volatile char*>(alloca(512 << 10));
  for (int i = 0; i < 4096; ++i) p[i] = 0x41;
  sink = p[7];
}

struct big {
  std::array<char, 1 << 20> text;
};
[[gnu::noinline]] void leap_by_channel() {
  const auto c = make_chan<big>(1);
  c.send(big{});
  sink = c.recv()->text[9];
}

[[gnu::noinline]] void borrow_and(void (*f)()) {
  with_stack(1 << 20, f);
  WEFT_TEST_KEEP_FRAME;
}
[[gnu::noinline]] void borrow_and_wait() { borrow_and(wait_at_the_gate); }

// A page that nothing is mapped to and that the next mappings of the process are likely to get.
[[gnu::noinline]] char read_what_will_be_mapped() {
  constexpr std::size_t size = 256 << 20;
  auto* hole = static_cast<char*>(mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  munmap(hole, size);
  return *const_cast<volatile char*>(hole + size - 4096);
}

int end_of_child(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A world, then worlds in forked children, with what the first has left behind.
int prefork(poller_kind kind) {
  const options o{.maxprocs = 2, .poller = kind};
  net::listener server;
  const auto signals = make_chan<int>(1);
  run(o, [&] {
    server = net::listen("tcp", "127.0.0.1:0").unwrap();
    os::signal_notify(signals, {SIGUSR1});
    wait_group g;
    g.go([&] { (void)server.accept().unwrap().write("parent"); });
    auto c = net::dial("tcp", server.addr().to_string()).unwrap();
    std::array<std::byte, 16> text;
    if (c.read(text).unwrap() != 6) std::_Exit(3);
    g.wait();
    raise(SIGUSR1);
    if (signals.recv() != SIGUSR1) std::_Exit(4);
    blocking([] {});
  });
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = testing::fork_at_rest();
    if (child == 0)
      std::_Exit(run(o, [&] {
        go([&] {
          for (;;) {
            auto [c, err] = server.accept();
            if (err) return;
            go([conn = std::move(c)] {
              std::array<std::byte, 16> text;
              if (conn.read(text).unwrap() == 4) (void)conn.write("child");
            });
          }
        });
        const int got = signals.recv().value_or(0);
        sleep(1ms);
        return got == SIGUSR1 ? 0 : 5;
      }));
    children.push_back(child);
  }
  run(o, [&] {
    for (int i = 0; i < 50; ++i) {
      auto c = net::dial("tcp", server.addr().to_string()).unwrap();
      c.set_deadline(now() + 60s);
      (void)c.write("ping");
      std::array<std::byte, 16> text;
      if (c.read(text).unwrap() != 5) std::_Exit(6);
    }
  });
  int worst = 0;
  for (const pid_t child : children) {
    kill(child, SIGUSR1);
    worst = std::max(worst, end_of_child(child));
  }
  say("served");
  return worst;
}

// A child that continues its parent's fiber.
int fork_in_a_fiber(void (*in_child)()) {
  return world([] {}, 1) + run(options{.maxprocs = 2}, [in_child] {
           go([] { wait_at_the_gate(); });
           yield();
           const pid_t child = testing::fork_at_rest();
           if (child == 0) {
             in_child();
             std::_Exit(0);
           }
           return end_of_child(child);
         });
}

// All memory but a little is used up, and then an exception is not caught.
void throw_without_memory() {
  const std::runtime_error reason("the boiler burst");
  rlimit limit{.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
  for (std::size_t n = 1 << 20; n >= 16; n /= 2)
    while (void* p = std::malloc(n)) *static_cast<void* volatile*>(p) = p;
  throw reason;
}

}  // namespace

const scenario_map fault_scenarios = {
    {"leaps-8-KiB", [] { return leap(read_a_line<8 << 10>); }},
    {"leaps-16-KiB", [] { return leap(read_a_line<16 << 10>); }},
    {"leaps-60-KiB", [] { return leap(read_a_line<60 << 10>); }},
    {"leaps-300-KiB", [] { return leap(read_a_line<300 << 10>); }},
    {"leaps-2-MiB", [] { return leap(read_a_line<2 << 20>); }},
    {"leaps-by-alloca", [] { return leap(leap_by_alloca); }},
    {"leaps-by-channel", [] { return leap(leap_by_channel); }},
    {"overflows-with-stack", [] { return world([] { with_stack(1 << 20, [] { dig_deeper(0); }); }); }},
    {"quit-with-stack",
     [] {
       return world([] {
         go(fiber_options{.name = "sentry"}, [] { borrow_and_wait(); });
         sleep(20ms);
         borrow_and([] {
           raise(SIGQUIT);  // to its own thread: another one has no frames of a fiber that runs
           sleep(60s);
         });
       });
     }},
    {"throws-with-stack", [] { return world([] { borrow_and([] { stoke_the_boiler("the boiler burst"); }); }); }},
    {"reads-what-will-be-mapped",
     [] {
       return world([] {
         sink = read_what_will_be_mapped();
         say("went on");
       });
     }},
    {"pthread-exit", [] { return world([] { pthread_exit(nullptr); }); }},
    {"pthread-exit-of-another-m",
     [] {
       return world([] {
         go(fiber_options{.name = "leaver"}, [] { pthread_exit(nullptr); });
         sleep(60s);
       });
     }},
    {"crashes-with-stack",
     [] {
       return world([] {
         borrow_and([] {
           volatile std::uintptr_t unmapped = 8;
           *reinterpret_cast<volatile int*>(unmapped) = 1;
         });
       });
     }},
    {"pthread-exit-in-async", [] { return world([] { async([] { pthread_exit(nullptr); }).get(); }); }},
    {"pthread-exit-in-a-group",
     [] {
       return world([] {
         errgroup g;
         g.go([]() -> std::error_code { pthread_exit(nullptr); });
         (void)g.wait();
       });
     }},
    {"pthread-exit-in-once", [] { return world([] { once_func([] { pthread_exit(nullptr); })(); }); }},
    {"pthread-exit-in-a-branch", [] { return world([] { parallel_invoke([] { pthread_exit(nullptr); }, [] {}); }); }},
    {"throws-without-memory", [] { return world([] { throw_without_memory(); }); }},
    {"deadlock-beside-a-foreign-thread",
     [] {
       std::thread([] {
         std::this_thread::sleep_for(4s);
         std::_Exit(7);
       }).detach();
       return world([] { wait_at_the_gate(); });
     }},
    {"quit-beside-a-foreign-thread",
     [] {
       std::thread([] { std::this_thread::sleep_for(60s); }).detach();
       return world([] { ask_for_a_dump_and_wait(); });
     }},
    {"deadlock-beside-a-parked-thread",
     [] {
       return world([] {
         const auto never_sent = make_chan<int>();
         std::thread([never_sent] { never_sent.recv(); }).detach();
         sleep(50ms);
         wait_at_the_gate();
       });
     }},
    {"a-parked-thread-is-the-last-to-wait",
     [] {
       return world([] {
         const auto never_sent = make_chan<int>();
         std::thread([never_sent] {
           std::this_thread::sleep_for(200ms);
           never_sent.recv();
         }).detach();
         wait_at_the_gate();
       });
     }},
    {"prefork-epoll", [] { return prefork(poller_kind::epoll); }},
    {"prefork-io_uring", [] { return prefork(poller_kind::io_uring); }},
    {"forked-fiber-sleeps", [] { return fork_in_a_fiber([] { sleep(1ms); }); }},
    {"forked-fiber-goes", [] { return fork_in_a_fiber([] { go([] {}); }); }},
    {"forked-fiber-runs", [] { return fork_in_a_fiber([] { run([] {}); }); }},
    {"forked-fiber-sends", [] { return fork_in_a_fiber([] { make_chan<int>(1).send(1); }); }},
    {"forked-fiber-leaves", [] { return fork_in_a_fiber([] { say("left"); }); }},
    {"fork-returns-in-blocking",
     [] {
       return run([] {
         pid_t child = 0;
         blocking([&] { child = testing::fork_at_rest(); });
         if (child == 0) say("never");
         return end_of_child(child);
       });
     }},
    {"forked-beside-a-world",
     [] {
       return world([] {
         const int status = blocking([] {
           const pid_t child = testing::fork_at_rest();
           if (child == 0) std::_Exit(run([] { sleep(1ms); }));
           return end_of_child(child);
         });
         std::_Exit(status);
       });
     }},
};
