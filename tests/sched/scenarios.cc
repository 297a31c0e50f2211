// Ways for a process to end, one a name: `sched_scenarios NAME`. Run by deadlock_test.cc and
// panic_test.cc, which say what must come of each.
#include <unistd.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

using namespace weft;
using namespace std::chrono_literals;

namespace {

void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

struct says {
  const char* text;
  ~says() { say(text); }
};

int world(void (*main_fiber)(), int procs = 2) { return run(options{.maxprocs = procs}, main_fiber); }

[[gnu::noinline]] void the_thrower() { throw std::runtime_error("the boiler burst"); }

const std::map<std::string, int (*)()> scenarios = {
    // How worlds come to a standstill.
    {"main-blocks", [] { return world([] { make_chan<int>().recv(); }); }},
    {"main-blocks-on-one-p", [] { return world([] { make_chan<int>().recv(); }, 1); }},
    {"main-blocks-on-nil", [] { return world([] { chan<int>().send(1); }); }},
    {"main-selects-nothing", [] { return world([] { select(); }); }},
    {"main-blocks-in-second-world",
     [] {
       world([] { sleep(1ms); });
       return world([] { make_chan<int>().recv(); });
     }},
    {"locked-main-blocks",
     [] {
       return world([] {
         lock_os_thread();
         make_chan<int>().recv();
       });
     }},
    {"all-block",
     [] {
       return world([] {
         auto c = make_chan<int>();
         for (int i = 0; i < 5; ++i) go(fiber_options{.name = "stuck reader"}, [c] { c.recv(); });
         mutex m;
         m.lock();
         m.lock();
       });
     }},
    {"all-block-after-work",
     [] {
       return world(
           [] {
             auto c = make_chan<int>();
             for (int i = 0; i < 100; ++i) go([c, i] { c.send(i); });
             for (int i = 0; i < 101; ++i) c.recv();
           },
           4);
     }},
    {"blocks-after-sleeper",
     [] {
       return world([] {
         go([] {
           sleep(100ms);
           say("slept");
         });
         make_chan<int>().recv();
       });
     }},
    {"blocks-after-timer-stopped",
     [] {
       return world([] {
         auto c = make_chan<int>();
         go([c] {
           timer t(1h);
           sleep(20ms);
           t.stop();
           say("stopped");
           c.recv();
         });
         c.recv();
       });
     }},
    {"blocks-after-blocking-call",
     [] {
       return world([] {
         go([] {
           blocking([] { std::this_thread::sleep_for(100ms); });
           say("called");
         });
         make_chan<int>().recv();
       });
     }},
    {"main-exits", [] { return world([] { goexit(); }); }},
    {"main-exits-first",
     [] {
       return world([] {
         go([] {
           sleep(20ms);
           say("worked on");
         });
         goexit();
       });
     }},
    {"main-exits-others-block",
     [] {
       return world([] {
         go([] { make_chan<int>().recv(); });
         goexit();
       });
     }},
    // Standstills that are none.
    {"sleeper-wakes-main",
     [] {
       return world([] {
         auto c = make_chan<int>();
         go([c] {
           sleep(100ms);
           c.send(1);
         });
         c.recv();
       });
     }},
    {"timer-wakes-main", [] { return world([] { timer(100ms).c().recv(); }); }},
    {"function-after-delay-wakes-main",
     [] {
       return world([] {
         auto c = make_chan<int>(1);
         timer t = after_func(100ms, [c] { c.send(1); });
         c.recv();
       });
     }},
    {"blocking-call-wakes-main",
     [] {
       return world([] {
         auto c = make_chan<int>();
         go([c] {
           blocking([] { std::this_thread::sleep_for(100ms); });
           c.send(1);
         });
         c.recv();
       });
     }},
    {"plain-thread-wakes-main",
     [] {
       return world([] {
         auto c = make_chan<int>();
         std::thread other([c] {
           c.recv();
           std::this_thread::sleep_for(100ms);
           c.send(1);
         });
         c.send(0);
         c.recv();
         other.join();
       });
     }},
    {"plain-thread-that-was-quiet-wakes-main",
     [] {
       return world([] {
         auto c = make_chan<int>();
         std::thread other([c] {
           std::this_thread::sleep_for(100ms);
           c.send(1);
         });
         c.recv();
         other.join();
       });
     }},
    // A world of one P takes no locks until a plain thread comes: this one comes in the thick of
    // it.
    {"plain-thread-joins-one-p",
     [] {
       long sum = 0;
       constexpr long n = 20'000, late = 500;
       run(options{.maxprocs = 1}, [&] {
         auto c = make_chan<long>(4);
         wait_group all;
         for (int f = 0; f < 3; ++f) {
           all.go([c] {
             for (long i = 0; i < n; ++i) c.send(1);
           });
         }
         std::thread other([c] {
           std::this_thread::sleep_for(std::chrono::microseconds(100 + getpid() % 400));
           for (long i = 0; i < late; ++i) c.send(1);
         });
         for (long i = 0; i < 3 * n + late; ++i) sum += c.recv().value();
         all.wait();
         blocking([&] { other.join(); });
       });
       return sum == 3 * n + late ? 0 : 1;
     }},
    // Exceptions that no one catches.
    {"fiber-throws",
     [] {
       return world([] {
         go([] { the_thrower(); });
         sleep(10s);
       });
     }},
    {"named-fiber-throws",
     [] {
       return world([] {
         go(fiber_options{.name = "stoker"}, [] { the_thrower(); });
         sleep(10s);
       });
     }},
    {"fiber-throws-after-suspending",
     [] {
       return world([] {
         go([] {
           for (int i = 0; i < 10; ++i) {
             yield();
             sleep(1ms);
           }
           the_thrower();
         });
         sleep(10s);
       });
     }},
    {"main-throws", [] { return world([] { the_thrower(); }); }},
    {"main-throws-after-suspending",
     [] {
       return world([] {
         sleep(5ms);
         the_thrower();
       });
     }},
    {"fiber-throws-int",
     [] {
       return world([] {
         go([] { throw 42; });
         sleep(10s);
       });
     }},
    {"fiber-panics",
     [] {
       return world([] {
         go([] {
           auto c = make_chan<int>(1);
           c.close();
           c.send(1);
         });
         sleep(10s);
       });
     }},
    {"starter-catches",
     [] {
       return world([] {
         try {
           go([] { the_thrower(); });
           sleep(10s);
         } catch (...) {
           say("caught");
         }
       });
     }},
    {"others-have-destructors",
     [] {
       return world([] {
         go([] {
           says d{"destructor of another fiber"};
           make_chan<int>().recv();
         });
         go([] {
           says d{"destructor of the thrower"};
           sleep(20ms);
           the_thrower();
         });
         sleep(10s);
       });
     }},
    {"caught-then-another-thrown",
     [] {
       return world([] {
         try {
           throw std::runtime_error("the first");
         } catch (const std::exception&) {
           yield();
         }
         throw std::runtime_error("the second");
       });
     }},
    {"throws-while-main-returns",
     [] {
       static std::atomic<bool> printing = false;
       struct slow : std::exception {
         const char* what() const noexcept override {
           printing = true;
           std::this_thread::sleep_for(200ms);
           return "slowly told";
         }
       };
       return world([] {
         go([] { throw slow(); });
         while (!printing) std::this_thread::sleep_for(1ms);
       });
     }},
    {"what-yields",
     [] {
       struct yields : std::exception {
         const char* what() const noexcept override {
           yield();
           return "told after a yield";
         }
       };
       return world([] {
         go([] { throw yields(); });
         sleep(10s);
       });
     }},
    {"two-throw-at-once",
     [] {
       return world(
           [] {
             for (int i = 0; i < 20; ++i) {
               go([] {
                 sleep(20ms);
                 the_thrower();
               });
             }
             sleep(10s);
           },
           4);
     }},
    // Ends that are as they should be.
    {"main-returns-three", [] { return run([] { return 3; }); }},
    {"main-returns-while-others-block",
     [] {
       return world([] {
         for (int i = 0; i < 10; ++i) {
           go([] {
             says d{"destructor of an abandoned fiber"};
             make_chan<int>().recv();
           });
         }
         sleep(5ms);
       });
     }},
    {"fiber-calls-exit",
     [] {
       return world([] {
         go([] { std::exit(5); });
         sleep(10s);
       });
     }},
    {"leaks-are-listed",
     [] {
       return run(options{.maxprocs = 2, .report_leaks = true}, [] {
         go(fiber_options{.name = "forgotten"}, [] { make_chan<int>().recv(); });
         sleep(5ms);
       });
     }},
    {"schedtrace",
     [] {
       setenv("WEFT_DEBUG", "schedtrace=1,nonsense=3", 1);
       return run(options{.maxprocs = 2}, [] { sleep(30ms); });
     }},
    {"no-leaks-to-list",
     [] {
       return run(options{.maxprocs = 2, .report_leaks = true}, [] {
         wait_group all;
         all.go([] { yield(); });
         all.wait();
         while (num_fibers() > 1) yield();
       });
     }},
};

}  // namespace

int main(int argc, char** argv) {
  auto it = argc == 2 ? scenarios.find(argv[1]) : scenarios.end();
  if (it == scenarios.end()) {
    std::fprintf(stderr, "usage: sched_scenarios NAME, one of:\n");
    for (const auto& [name, f] : scenarios) std::fprintf(stderr, "  %s\n", name.c_str());
    return 64;
  }
  return it->second();
}
