// Ways for a process to be asked, or made, to say what it was doing: `diag_scenarios NAME`. Run by
// the tests beside it, which say what must come of each. Here: panics and leaks; signals are in
// signal_scenarios.cc.
#include <weft/testing.h>

#include <exception>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "tests/diag/actors.h"

namespace {

const scenario_map scenarios = {
    // ---- panics ---------------------------------------------------------------------------------
    {"throws-deep",
     [] {
       return world([] {
         go(fiber_options{.name = "stoker"}, [] { stoke_the_boiler("the boiler burst"); });
         sleep(60s);
       });
     }},
    {"throws-among-others",
     [] {
       return world([] {
         go(fiber_options{.name = "keeper"}, [] { wait_at_the_gate(); });
         sleep(5ms);
         stoke_the_boiler("the boiler burst");
       });
     }},
    {"throws-in-the-third-generation",
     [] {
       return world([] {
         go([] { have_children(); });
         sleep(60s);
       });
     }},
    {"deadlocks", [] { return world([] { wait_at_the_gate(); }); }},
    {"deadlocks-in-two-families",
     [] {
       return world([] {
         for (int family = 0; family < 2; ++family)
           go([] {
             for (int i = 0; i < 5; ++i) go([] { wait_at_the_gate(); });
           });
         wait_at_the_gate();
       });
     }},
    {"main-throws-deep", [] { return world([] { stoke_the_boiler("the boiler burst"); }); }},
    {"throws-after-migrations",
     [] {
       return world(
           [] {
             for (int i = 0; i < 8; ++i)
               go([] {
                 for (int n = 0; n < 1000; ++n) yield();
                 sleep(5ms);
                 for (int n = 0; n < 100; ++n) yield();
                 stoke_the_boiler("the boiler burst");
               });
             sleep(60s);
           },
           4);
     }},
    {"throws-in-catch-that-suspends",
     [] {
       return world(
           [] {
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
           },
           4);
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
    // ---- circles
    // ----------------------------------------------------------------------------------
    {"waits-in-circles",
     [] {
       return world([] {
         static mutex left, right, own;
         static rw_mutex book;
         static std::atomic<int> ready = 0;
         static std::atomic<bool> owned = false;
         go(fiber_options{.name = "first"}, [] {
           left.lock();
           for (++ready; ready < 3;) yield();
           right.lock();
         });
         go(fiber_options{.name = "second"}, [] {
           right.lock();
           for (++ready; ready < 3;) yield();
           book.lock_shared();
         });
         go(fiber_options{.name = "third"}, [] {
           book.lock();
           for (++ready; ready < 3;) yield();
           left.lock();
         });
         go(fiber_options{.name = "alone"}, [] {
           own.lock();
           owned = true;
           own.lock();
         });
         while (!owned) yield();
         go(fiber_options{.name = "bystander"}, [] { own.lock(); });
         static task<void> joined;
         joined = async([] {
           own.lock();  // so that it has begun, and continues without end
         });
         go(fiber_options{.name = "joiner"}, [] { joined.wait(); });
         sleep(50ms);
         dump_fibers(stderr);
         std::exit(0);
       });
     }},
    {"ends-well", [] { return world([] { go([] {}); }); }},
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
       return world(
           [] {
             go([] { throw std::runtime_error("the other"); });
             go([] { throw yields(); });  // runs first
             sleep(60s);
           },
           1);
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
     [] { return world([] { []() noexcept { stoke_the_boiler("through a closed door"); }(); }); }},
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
     [] { return world([] { std::thread([] { throw std::runtime_error("no fiber's fault"); }).join(); }); }},
    // ---- regions that must not suspend
    // -----------------------------------------------------------
    {"parks-in-region", [] { return world([] { in_a_region([] { make_chan<int>().recv(); }); }); }},
    {"sleeps-in-region", [] { return world([] { in_a_region([] { sleep(1ms); }); }); }},
    {"yields-in-region", [] { return world([] { in_a_region([] { yield(); }); }); }},
    {"blocks-in-region", [] { return world([] { in_a_region([] { blocking([] {}); }); }); }},
    {"parks-in-inner-region",
     [] {
       return world([] {
         const no_suspend outer;
         in_a_region([] {});
         make_chan<int>().recv();
       });
     }},
    // ---- leaks ----------------------------------------------------------------------------------
    // ---- mutexes of the thread
    // ------------------------------------------------------------------------
    {"yields-with-std-mutex",
     [] {
       return world([] {
         static std::mutex m;
         const std::lock_guard hold(m);
         yield();
       });
     }},
    {"parks-with-shared-mutex",
     [] {
       return world([] {
         static std::shared_mutex m;
         m.lock_shared();
         make_chan<int>().recv();
         WEFT_TEST_KEEP_FRAME;
       });
     }},
    {"sleeps-with-second-mutex",
     [] {
       return world([] {
         static std::recursive_mutex first, second;
         first.lock();
         second.lock();
         second.lock();
         first.unlock();
         second.unlock();
         sleep(1ms);
         WEFT_TEST_KEEP_FRAME;
       });
     }},
    {"uses-std-mutexes-well",
     [] {
       return world([] {
         static std::mutex m, taken;
         static std::timed_mutex timed;
         static int sum = 0;
         std::thread other([] {
           const std::lock_guard hold(taken);
           make_chan<int>(1).send(1);  // a plain thread may
         });
         other.join();
         wait_group all;
         for (int i = 0; i < 20; ++i)
           all.go([] {
             for (int k = 0; k < 100; ++k) {
               {
                 const std::lock_guard hold(m);
                 ++sum;
               }
               if (timed.try_lock()) timed.unlock();
               yield();
               {
                 std::unique_lock hold(m);
                 const no_suspend region;
                 hold.unlock();  // before the region ends
               }
               yield();
             }
           });
         all.wait();
         say(sum == 2000 ? "all counted" : "lost some");
       });
     }},
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
  for (const scenario_map* some : {&scenarios, &signal_scenarios, &fault_scenarios})
    if (const auto it = some->find(argc == 2 ? argv[1] : ""); it != some->end()) return it->second();
  std::fprintf(stderr, "usage: diag_scenarios NAME, one of:\n");
  for (const scenario_map* some : {&scenarios, &signal_scenarios, &fault_scenarios})
    for (const auto& [name, f] : *some) std::fprintf(stderr, "  %s\n", name.c_str());
  return 64;
}
