// SIGQUIT, stack overflows and crashes. See scenarios.cc.
#include <thread>

#include "sched/diagnosis/reporter.h"
#include "tests/diag/actors.h"

const scenario_map signal_scenarios = {
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
       return world(
           [] {
             go([] { spin_round_and_round<1>(); });
             go([] { spin_round_and_round<2>(); });
             go([] { spin_round_and_round<3>(); });
             go([] { spin_round_and_round<4>(); });
             while (spinning < 4) sleep(1ms);
             ask_for_a_dump_and_wait();
           },
           5);
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
           weft::detail::wait_for_idle_reporter();
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
    {"overflows-among-others",
     [] {
       return world([] {
         go([] { wait_at_the_gate(); });
         sleep(5ms);
         dig_deeper(0);
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
     [] { return run(options{.maxprocs = 1, .stack_size = 64 << 10}, [] { one_huge_frame(); }); }},
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
    {"plain-thread-writes-to-nowhere", [] { return world([] { std::thread([] { write_to_nowhere(); }).join(); }); }},
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
};
