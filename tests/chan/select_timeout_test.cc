// A timer's case wins in the end, however ready the others always are.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a timeout wins over channels that are always ready", "[select][timer][SEL-25]") {
  hang_guard guard("a timer starves beside ready channels");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto c = make_chan<int>();
    std::atomic<long> sums = 0;
    wait_group all;
    for (int f = 0; f < 2; ++f) {
      all.go([&] {
        timer t(20ms);
        for (int i = 0;; ++i)
          if (select(send(c, i), recv(t.c())) == 1) return;
      });
    }
    const auto timeout = after(20ms);
    int v = 0;
    while (select(recv(c, v), recv(timeout)) == 0) sums += v;
    all.wait();
  });
}

TEST_CASE("a timeout wins while everybody makes system calls and sends and receives", "[select][timer][SEL-26]") {
  hang_guard guard("a timer starves beside system calls");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto c = make_chan<int>();
    wait_group all;
    for (int f = 0; f < 3; ++f) {
      all.go([&, f] {
        timer t(20ms);
        int v = 0;
        for (int i = 0;; ++i) {
          if (f == 0) blocking([] { syscall(SYS_getppid); });
          else syscall(SYS_getppid);
          if (select(send(c, i), recv(c, v), recv(t.c())) == 2) return;
        }
      });
    }
    const auto timeout = after(20ms);
    int v = 0;
    while (select(recv(timeout), send(c, 1), recv(c, v)) != 0) syscall(SYS_getppid);
    all.wait();
  });
}

TEST_CASE("a fiber that only polls is told of a timer, too", "[select][timer][SEL-25]") {
  hang_guard guard("a poll never sees the timer");
  in_world(GENERATE(1, 2, 4), [] {
    const auto timeout = after(10ms);
    while (select(recv(timeout), otherwise) == 1) yield();
    const auto again = after(10ms);
    while (!again.try_recv()) yield();
  });
}
