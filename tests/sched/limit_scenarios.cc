// Worlds at their limits and what the environment says, one a name: `limit_scenarios NAME`. Run by
// limits_test.cc, which says what must come of each.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <weft/weft.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>

using namespace weft;
using namespace std::chrono_literals;

namespace {

// A world that runs, and comes to a standstill, before main() does.
struct before_main {
  before_main() {
    if (std::getenv("WEFT_TEST_BLOCK_BEFORE_MAIN")) run(options{.maxprocs = 2}, [] { make_chan<int>().recv(); });
  }
} const before;

// `n` fibers that all hold a thread of their own at the same time, then end.
int hold_threads(int limit, int n) {
  return run(options{.maxprocs = 2, .max_threads = limit}, [n] {
    auto gate = make_chan<void>(), up = make_chan<void>();
    wait_group all;
    for (int i = 0; i < n; ++i)
      all.go([=] {
        lock_os_thread();
        up.send();
        gate.recv();
        unlock_os_thread();
      });
    for (int i = 0; i < n; ++i) up.recv();
    gate.close();
    all.wait();
    std::puts("all held a thread");
  });
}

int block_threads(int limit, int n) {
  return run(options{.maxprocs = 2, .max_threads = limit}, [n] {
    std::atomic<int> inside = 0;
    wait_group all;
    for (int i = 0; i < n; ++i)
      all.go([&] {
        blocking([&] {
          ++inside;
          while (inside < n) std::this_thread::sleep_for(1ms);
        });
      });
    all.wait();
    std::puts("all were blocked at once");
  });
}

int die_by(int signal_number) {
  return run(options{.maxprocs = 2}, [signal_number] {
    signal(signal_number, SIG_DFL);
    go([signal_number] { raise(signal_number); });
    sleep(10s);
  });
}

// From here on the kernel refuses sched_setaffinity.
void refuse_affinity() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setaffinity, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{.len = 4, .filter = rules};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) std::exit(1);
}

const std::map<std::string, int (*)()> scenarios = {
    {"keeps-an-explicit-maxprocs",
     [] {
       return run(options{.maxprocs = 3}, [] {
         cpu_set_t one;
         CPU_ZERO(&one);
         CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
         for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
           sched_setaffinity(std::stoi(task.path().filename().string()), sizeof one, &one);
         sleep(5500ms);
         std::printf("%d", maxprocs());
         maxprocs(2);
         sleep(500ms);
         std::printf(" %d\n", maxprocs());
       });
     }},
    {"go-of-a-null-pointer-in-a-catch-all",
     [] {
       return run([] {
         try {
           go(static_cast<void (*)()>(nullptr));
         } catch (...) {
           std::puts("caught");
         }
         std::puts("went on");
       });
     }},
    {"main-returns-without-its-p",
     [] {
       return run(options{.maxprocs = 1, .report_leaks = true}, [] {
         std::atomic<bool> ran = false;
         go([&ran] { ran = true; });
         while (!ran) usleep(1000);  // the monitor takes the P
       });
     }},
    {"prints-maxprocs",
     [] {
       return run([] {
         std::atomic<int> ran = 0;
         wait_group all;
         for (int i = 0; i < 100; ++i) all.go([&] { ++ran; });
         all.wait();
         std::printf("%d\n", ran == 100 ? maxprocs() : -1);
       });
     }},
    {"asks-maxprocs-often",
     [] {
       for (int i = 0; i < 3; ++i) {
         run([] {});
         maxprocs();
       }
       return 0;
     }},
    {"exits", [] { return 0; }},
    {"more-stacks-than-address-space",
     [] {
       unsetenv("WEFT_DEBUG");  // chaos mode needs threads, and they address space of their own
       const rlimit limit{.rlim_cur = rlim_t{2} << 30, .rlim_max = rlim_t{2} << 30};
       setrlimit(RLIMIT_AS, &limit);
       return run(options{.maxprocs = 2}, [] {
         for (int i = 1;; ++i) {
           go([] { make_chan<int>().recv(); });
           yield();
           if (i == 5000) std::puts("5000 are there"), std::fflush(stdout);
         }
       });
     }},
    {"few-locked-fibers", [] { return hold_threads(10, 5); }},
    {"many-locked-fibers", [] { return hold_threads(10, 100); }},
    {"few-blocked-fibers", [] { return block_threads(10, 5); }},
    {"many-blocked-fibers", [] { return block_threads(10, 100); }},
    {"fiber-raises-sigterm", [] { return die_by(SIGTERM); }},
    {"fiber-raises-sigkill", [] { return die_by(SIGKILL); }},
    {"fiber-aborts", [] { return die_by(SIGABRT); }},
    {"affinity-refused",
     [] {
       refuse_affinity();
       return run(options{.maxprocs = 1}, [] {
         for (int round = 0; round < 2; ++round) {
           wait_group all;
           for (int i = 0; i < 4; ++i)
             all.go([] {
               for (const auto until = now() + 40ms; now() < until;) {
               }
             });
           all.wait();
           sleep(50ms);
         }
         std::puts("ended");
       });
     }},
    {"go-of-a-null-pointer", [] { return run([] { go(static_cast<void (*)()>(nullptr)); }); }},
    {"go-of-a-null-pointer-with-arguments", [] { return run([] { go(static_cast<void (*)(int)>(nullptr), 1); }); }},
    {"go-of-a-null-member-pointer",
     [] {
       return run([] {
         struct thing {
         } t;
         go(static_cast<void (thing::*)()>(nullptr), &t);
       });
     }},
    {"go-of-a-null-std-function", [] { return run([] { go(std::function<void()>()); }); }},
    {"named-go-of-a-null-std-function", [] { return run([] { go({.name = "f"}, std::function<void()>()); }); }},
    // Two fibers wait for each other without end; another one is alive and well.
    {"cycle-beside-a-sleeper",
     [] {
       return run(options{.maxprocs = 2}, [] {
         mutex a, b;
         auto locked = make_chan<void>(), both = make_chan<void>();
         const auto cross = [locked, both](mutex& first, mutex& second) {
           first.lock();
           locked.send();
           both.recv();
           second.lock();
         };
         go([&] { cross(a, b); });
         go([&] { cross(b, a); });
         for (int i = 0; i < 2; ++i) locked.recv();
         both.close();
         for (int i = 0; i < 20; ++i) sleep(2ms);
         std::puts("slept on");
       });
     }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto it = argc == 2 ? scenarios.find(argv[1]) : scenarios.end();
  if (it == scenarios.end()) {
    std::fprintf(stderr, "usage: limit_scenarios NAME, one of:\n");
    for (const auto& [name, f] : scenarios) std::fprintf(stderr, "  %s\n", name.c_str());
    return 64;
  }
  return it->second();
}
