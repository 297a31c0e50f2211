// Ways for a program with channels and locks to end, one a name: `chan_scenarios NAME`. Run by
// tests that say what must come of each.
#include <unistd.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/chan/slow_gate.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

int world(void (*main_fiber)(), int procs = 2) { return run(options{.maxprocs = procs}, main_fiber); }

// The only P's fibers take no locks until a plain thread comes; this one comes after `wait_us`, in
// the middle of it, and the sums show whether anything was torn. Each process can be surprised only
// once.
template <class Op>
int surprised(int wait_us, Op op) {
  constexpr long n = 20'000, late = 500;
  long sum = 0;
  run(options{.maxprocs = 1}, [&] {
    auto c = make_chan<long>(3);
    wait_group all;
    for (int f = 0; f < 3; ++f) {
      all.go([&] {
        for (long i = 0; i < n; ++i) op(c);
      });
    }
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
      for (long i = 0; i < late; ++i) op(c);
    });
    for (long i = 0; i < 3 * n + late; ++i) sum += c.recv().value();
    all.wait();
    blocking([&] { other.join(); });
  });
  return sum == 3 * n + late ? 0 : 1;
}

int some_time() { return getpid() % 400; }

const std::map<std::string, int (*)()> scenarios = {
    {"half-parked", [] { return hammer_gate<park_with::nothing>(4, 100'000); }},
    {"well-parked", [] { return hammer_gate<park_with::commit>(4, 2000); }},
    // Uncaught panics.
    {"sends-on-closed",
     [] {
       return world([] {
         auto c = make_chan<int>();
         c.close();
         c.send(1);
       });
     }},
    {"parked-sender-sees-close",
     [] {
       return world([] {
         auto c = make_chan<int>();
         go(fiber_options{.name = "sender"}, [c] { c.send(1); });
         sleep(5ms);
         c.close();
         sleep(10s);
       });
     }},
    {"unlocks-unlocked",
     [] {
       return world([] {
         mutex m;
         m.unlock();
       });
     }},
    {"unlocks-twice",
     [] {
       return world([] {
         mutex m;
         m.lock();
         m.unlock();
         m.unlock();
       });
     }},
    {"negative-wait-group",
     [] {
       return world([] {
         wait_group g;
         g.done();
       });
     }},
    // The group is not done when its fiber throws, so main cannot be quicker than the panic.
    {"wait-group-fiber-throws",
     [] {
       return world([] {
         wait_group g;
         g.go([] {
           yield();
           throw std::runtime_error("a fiber of the group");
         });
         g.wait();
         std::puts("waited");
       });
     }},
    {"once-inside-itself",
     [] {
       return world([] {
         once o;
         o.call([&] { o.call([] {}); });
       });
     }},
    {"locks-twice",
     [] {
       return world([] {
         mutex m;
         m.lock();
         m.lock();
       });
     }},
    // One P and no locks, until a plain thread comes.
    {"plain-thread-surprises-send", [] { return surprised(some_time(), [](const chan<long>& c) { c.send(1); }); }},
    {"plain-thread-surprises-select",
     [] { return surprised(some_time(), [](const chan<long>& c) { select(send(c, 1L), send(chan<long>(), 2L)); }); }},
    {"plain-thread-surprises-deadlines",
     [] {
       return surprised(some_time(), [](const chan<long>& c) {
         while (!c.send_for(1, 20us)) {
         }
       });
     }},
    {"plain-thread-surprises-mutex",
     [] {
       static mutex m;
       static long in_turn = 0;
       const int torn = surprised(some_time(), [](const chan<long>& c) {
         {
           const std::lock_guard hold(m);
           const long before = in_turn;
           if (before % 3 == 0 && this_fiber::id() != 0) yield();
           in_turn = before + 1;
         }
         c.send(1);
       });
       return torn + (in_turn == 3 * 20'000 + 500 ? 0 : 1);
     }},
    // The first plain thread is the fiber itself, in a blocking call, while its P goes to another
    // M.
    {"blocking-call-surprises",
     [] {
       long sum = 0;
       run(options{.maxprocs = 1}, [&] {
         auto c = make_chan<long>(2);
         wait_group all;
         all.go([&] {
           for (int i = 0; i < 5000; ++i) c.send(1);
         });
         all.go([&] {
           for (int i = 0; i < 5000; ++i) c.send(1);
         });
         all.go([&] {
           blocking([&] {
             for (int i = 0; i < 500; ++i) c.send(1);
           });
         });
         for (int i = 0; i < 10'500; ++i) sum += c.recv().value();
         all.wait();
       });
       return sum == 10'500 ? 0 : 1;
     }},
    // A plain thread that exists before the world, and sees it begin and end.
    {"plain-thread-sees-worlds-begin",
     [] {
       auto c = make_chan<long>(1);
       std::atomic<bool> over = false;
       std::atomic<long> went = 0;
       std::thread other([&] {
         std::this_thread::sleep_for(std::chrono::microseconds(some_time()));
         while (!over)
           if (c.try_send(1)) ++went;
       });
       long got = 0;
       for (int i = 0; i < 50; ++i) {
         run(options{.maxprocs = 1}, [&] {
           for (int k = 0; k < 200; ++k) {
             if (c.try_send(1)) ++went;
             if (auto v = c.try_recv()) got += *v;
           }
         });
       }
       over = true;
       other.join();
       while (auto v = c.try_recv()) got += *v;
       return got == went ? 0 : 1;
     }},
};

}  // namespace

int main(int argc, char** argv) {
  auto it = argc == 2 ? scenarios.find(argv[1]) : scenarios.end();
  if (it == scenarios.end()) {
    std::fprintf(stderr, "usage: chan_scenarios NAME, one of:\n");
    for (const auto& [name, f] : scenarios) std::fprintf(stderr, "  %s\n", name.c_str());
    return 64;
  }
  return it->second();
}
