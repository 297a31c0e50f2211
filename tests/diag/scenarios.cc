// Ways for a process to be asked, or made, to say what it was doing: `diag_scenarios NAME`. Run by the
// tests beside it, which say what must come of each.
#include <signal.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "sched/reporter.h"

using namespace weft;
using namespace std::chrono_literals;

namespace {

void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

int world(void (*main_fiber)(), int procs = 2) { return run(options{.maxprocs = procs}, main_fiber); }

// A call chain with names to look for. The asm keeps calls from becoming jumps.
#define WEFT_TEST_KEEP_FRAME asm volatile("" ::: "memory")

[[gnu::noinline]] void light_the_fire(const char* what) { throw std::runtime_error(what); }
[[gnu::noinline]] void stoke_the_boiler(const char* what) {
  light_the_fire(what);
  WEFT_TEST_KEEP_FRAME;
}
[[gnu::noinline]] void wait_in_the_yard() {
  make_chan<int>().recv();
  WEFT_TEST_KEEP_FRAME;
}
[[gnu::noinline]] void wait_at_the_gate() {
  wait_in_the_yard();
  WEFT_TEST_KEEP_FRAME;
}

std::atomic<int> spinning{0};
template <int N>
[[gnu::noinline]] void spin_round_and_round() {
  ++spinning;
  for (std::atomic<int> i = 0;; i += N) {}
}

std::atomic<bool> deep_enough{false};
[[gnu::noinline]] int dig_deeper(int depth) {
  volatile char earth[64];
  earth[0] = static_cast<char>(depth);
  if (deep_enough) return 0;
  return dig_deeper(depth + 1) + earth[0];
}
[[gnu::noinline]] int one_huge_frame() {
  volatile char earth[200'000];
  for (std::size_t i = 0; i < sizeof earth; i += 1000) earth[i] = 1;
  return earth[5000];
}
int* volatile nowhere = nullptr;
[[gnu::noinline]] void write_to_nowhere() {
  *nowhere = 1;
  WEFT_TEST_KEEP_FRAME;
}


[[gnu::noinline]] void stop_here_for_gdb(bool for_good) {
  if (for_good) std::abort();
  WEFT_TEST_KEEP_FRAME;
}
template <bool for_good>
int be_looked_at() {
  return world([] {
    for (int i = 0; i < 2; ++i) go(fiber_options{.name = "sentry"}, [] { wait_at_the_gate(); });
    sleep(50ms);
    stop_here_for_gdb(for_good);
  }, 1);
}

void ask_for_a_dump_and_wait() {
  kill(getpid(), SIGQUIT);
  sleep(60s);
}

const std::map<std::string, int (*)()> scenarios = {
    // ---- panics ---------------------------------------------------------------------------------
    {"throws-deep",
     [] {
       return world([] {
         go(fiber_options{.name = "stoker"}, [] { stoke_the_boiler("the boiler burst"); });
         sleep(60s);
       });
     }},
    {"main-throws-deep", [] { return world([] { stoke_the_boiler("the boiler burst"); }); }},
    {"throws-after-migrations",
     [] {
       return world([] {
         for (int i = 0; i < 8; ++i)
           go([] {
             for (int n = 0; n < 1000; ++n) yield();
             sleep(5ms);
             for (int n = 0; n < 100; ++n) yield();
             stoke_the_boiler("the boiler burst");
           });
         sleep(60s);
       }, 4);
     }},
    {"throws-in-catch-that-suspends",
     [] {
       return world([] {
         for (int i = 0; i < 20; ++i)
           go([] {
             for (int n = 0; n < 10; ++n) try {
                 throw n;
               } catch (int) {
                 yield();
               }
           });
         go([] {
           try {
             throw std::runtime_error("the first");
           } catch (const std::exception&) {
             sleep(2ms);
             yield();
             stoke_the_boiler("the second");
           }
         });
         sleep(60s);
       }, 4);
     }},
    {"rethrows-after-suspending",
     [] {
       return world([] {
         try {
           stoke_the_boiler("told twice");
         } catch (...) {
           sleep(2ms);
           throw;
         }
       });
     }},
    {"throws-while-exiting",
     [] {
       struct bursts {
         ~bursts() noexcept(false) { stoke_the_boiler("burst on the way out"); }
       };
       return world([] {
         go([] {
           bursts b;
           goexit();
         });
         sleep(60s);
       });
     }},
    {"throws-and-catches-while-exiting",
     [] {
       struct recovers {
         ~recovers() {
           try {
             stoke_the_boiler("caught on the way out");
           } catch (const std::exception&) {
             say("recovered");
           }
         }
       };
       return world([] {
         wait_group all;
         all.add(1);
         go([&] {
           struct last {
             wait_group& w;
             ~last() { w.done(); }
           } l{all};
           recovers r;
           goexit();
         });
         all.wait();
       });
     }},
    {"throws-with-cause",
     [] {
       return world([] {
         try {
           try {
             throw std::runtime_error("no water");
           } catch (...) {
             std::throw_with_nested(std::runtime_error("no steam"));
           }
         } catch (...) {
           std::throw_with_nested(std::runtime_error("no motion"));
         }
       });
     }},
    {"what-blocks-for-ever",
     [] {
       struct blocks : std::exception {
         const char* what() const noexcept override {
           wait_in_the_yard();
           return "";
         }
       };
       return world([] {
         go([] { throw blocks(); });
         make_chan<int>().recv();
       });
     }},
    {"what-yields-to-another-panic",
     [] {
       struct yields : std::exception {
         const char* what() const noexcept override {
           for (int i = 0; i < 5; ++i) yield();
           return "told after the other";
         }
       };
       return world([] {
         go([] { throw std::runtime_error("the other"); });
         go([] { throw yields(); });  // runs first
         sleep(60s);
       }, 1);
     }},
    {"cause-throws-nothing-known",
     [] {
       struct oddity {};
       return world([] {
         try {
           throw oddity();
         } catch (...) {
           std::throw_with_nested(std::runtime_error("something odd"));
         }
       });
     }},
    {"throws-through-noexcept",
     [] {
       return world([] { []() noexcept { stoke_the_boiler("through a closed door"); }(); });
     }},
    {"throws-in-blocking-call",
     [] {
       return world([] {
         go(fiber_options{.name = "stoker"}, [] { blocking([] { stoke_the_boiler("burst outside"); }); });
         sleep(60s);
       });
     }},
    {"has-terminate-handler",
     [] {
       std::set_terminate([] {
         say("my own last words");
         std::_Exit(7);
       });
       return world([] { stoke_the_boiler("the boiler burst"); });
     }},
    {"terminate-handler-is-back",
     [] {
       const auto mine = [] { std::_Exit(7); };
       std::set_terminate(mine);
       world([] {});
       return std::get_terminate() == static_cast<std::terminate_handler>(mine) ? 0 : 1;
     }},
    {"plain-thread-throws",
     [] {
       return world([] {
         std::thread([] { throw std::runtime_error("no fiber's fault"); }).join();
       });
     }},
    // ---- SIGQUIT --------------------------------------------------------------------------------
    {"quit-while-waiting",
     [] {
       return world([] {
         for (int i = 0; i < 3; ++i) go(fiber_options{.name = "sentry"}, [] { wait_at_the_gate(); });
         sleep(20ms);
         ask_for_a_dump_and_wait();
       });
     }},
    {"quit-while-spinning",
     [] {
       return world([] {
         go([] { spin_round_and_round<1>(); });
         go([] { spin_round_and_round<2>(); });
         go([] { spin_round_and_round<3>(); });
         go([] { spin_round_and_round<4>(); });
         while (spinning < 4) sleep(1ms);
         ask_for_a_dump_and_wait();
       }, 5);
     }},
    {"quit-in-blocking-call",
     [] {
       return world([] {
         go([] { blocking([] { spin_round_and_round<1>(); }); });
         while (spinning < 1) yield();
         ask_for_a_dump_and_wait();
       });
     }},
    {"quit-and-continue",
     [] {
       setenv("WEFT_DEBUG", "leaks=1,sigquit=continue", 1);
       return world([] {
         go(fiber_options{.name = "sentry"}, [] { wait_at_the_gate(); });
         sleep(20ms);
         for (int i = 0; i < 2; ++i) {
           raise(SIGQUIT);
           weft::detail::let_reporter_finish();
         }
         say("went on");
       });
     }},
    {"quit-has-handler",
     [] {
       signal(SIGQUIT, [](int) {
         static const char text[] = "my own handler\n";
         [[maybe_unused]] auto n = write(STDOUT_FILENO, text, sizeof text - 1);
       });
       return world([] {
         kill(getpid(), SIGQUIT);
         sleep(50ms);
       });
     }},
    {"quit-is-ignored",
     [] {
       signal(SIGQUIT, SIG_IGN);
       return world([] {
         kill(getpid(), SIGQUIT);
         sleep(50ms);
       });
     }},
    {"quit-after-the-world",
     [] {
       world([] {});
       raise(SIGQUIT);
       return 0;
     }},
    {"is-looked-at", be_looked_at<false>},
    {"dies-and-is-looked-at", be_looked_at<true>},
    // ---- crashes --------------------------------------------------------------------------------
    {"overflows",
     [] {
       return world([] {
         go(fiber_options{.name = "digger"}, [] { dig_deeper(0); });
         sleep(60s);
       });
     }},
    {"main-overflows", [] { return world([] { dig_deeper(0); }); }},
    {"overflows-own-size",
     [] {
       return world([] {
         go(fiber_options{.name = "digger", .stack_size = 32 << 10}, [] { dig_deeper(0); });
         sleep(60s);
       });
     }},
    {"overflows-by-one-frame",
     [] {
       return run(options{.maxprocs = 1, .stack_size = 64 << 10}, [] { one_huge_frame(); });
     }},
    {"writes-to-nowhere",
     [] {
       return world([] {
         go(fiber_options{.name = "digger"}, [] { write_to_nowhere(); });
         sleep(60s);
       });
     }},
    {"divides-by-zero",
     [] {
       return world([] {
         volatile int zero = 0, many = 100;
         std::printf("%d", many / zero);
       });
     }},
    {"aborts", [] { return world([] { std::abort(); }); }},
    {"plain-thread-writes-to-nowhere",
     [] {
       return world([] { std::thread([] { write_to_nowhere(); }).join(); });
     }},
    {"segv-has-handler",
     [] {
       struct sigaction mine {};
       mine.sa_sigaction = [](int, siginfo_t* info, void*) {
         static const char text[] = "my own handler\n";
         [[maybe_unused]] auto n = write(STDOUT_FILENO, text, sizeof text - 1);
         _exit(info->si_addr == nullptr ? 9 : 10);
       };
       mine.sa_flags = SA_SIGINFO;
       sigaction(SIGSEGV, &mine, nullptr);
       return world([] { write_to_nowhere(); });
     }},
    {"segv-after-the-world",
     [] {
       world([] {});
       write_to_nowhere();
       return 0;
     }},
    // ---- leaks ----------------------------------------------------------------------------------
    {"leaks-of-all-kinds",
     [] {
       return run(options{.maxprocs = 1, .report_leaks = true}, [] {
         go(fiber_options{.name = "parked"}, [] { wait_at_the_gate(); });
         yield();
         for (int i = 0; i < 3; ++i) go(fiber_options{.name = "never run"}, [] {});
       });
     }},
    {"leaks-in-blocking-call",
     [] {
       return run(options{.maxprocs = 1, .report_leaks = true}, [] {
         lock_os_thread();  // else this thread, which must return from run, might make the call
         go(fiber_options{.name = "outside"}, [] { blocking([] { spin_round_and_round<1>(); }); });
         while (spinning < 1) yield();
       });
     }},
    {"leak-check-ends-the-process",
     [] {
       return world([] {
         weft::testing::leak_check check;
         go(fiber_options{.name = "forgotten"}, [] { wait_at_the_gate(); });
       });
     }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto it = argc == 2 ? scenarios.find(argv[1]) : scenarios.end();
  if (it == scenarios.end()) {
    std::fprintf(stderr, "usage: diag_scenarios NAME, one of:\n");
    for (const auto& [name, f] : scenarios) std::fprintf(stderr, "  %s\n", name.c_str());
    return 64;
  }
  return it->second();
}
