// Time: sleeping, timers and tickers.
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/time.h>
#include <weft/timer.h>

#include <chrono>
#include <cstdio>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// sleep waits at least that long, on weft's clock.
void sleep_and_now() {
  const weft::time_point begin = weft::now();
  weft::sleep(1ms);
  const weft::duration passed = weft::now() - begin;
  if (passed >= 1ms) std::puts("1 ms or more has passed");
}
// Prints:
// 1 ms or more has passed

// A timer fires once. stop returns true if it had not fired; reset arms it again.
void timer_stop_and_reset() {
  weft::timer t(1h);
  if (t.stop()) std::puts("stopped in time");
  if (!t.reset(1ms)) std::puts("it was not armed");
  t.c().recv();
  std::puts("fired");
}
// Prints:
// stopped in time
// it was not armed
// fired

// A ticker fires at each period. A tick is dropped if it is not received before the next one.
void ticker() {
  weft::ticker every(1ms);
  for (int i = 1; i <= 3; ++i) {
    every.c().recv();
    std::printf("tick %d\n", i);
  }
  every.stop();
}
// Prints:
// tick 1
// tick 2
// tick 3

// after is a channel that delivers the time once.
void after() {
  const weft::time_point begin = weft::now();
  const auto fired_at = weft::after(1ms).recv();
  if (*fired_at > begin) std::puts("later");
}
// Prints:
// later

// after_func calls a function in a fiber of its own, unless the timer is stopped before.
void after_func() {
  auto done = weft::make_chan<void>();
  weft::timer never = weft::after_func(1h, [] { std::puts("never printed"); });
  weft::after_func(1ms, [done] {
    std::puts("called");
    done.close();
  });
  done.recv();
  if (never.stop()) std::puts("the other call is cancelled");
}
// Prints:
// called
// the other call is cancelled

const examples::group timers({
    {"sleep_and_now", sleep_and_now},
    {"timer_stop_and_reset", timer_stop_and_reset},
    {"ticker", ticker},
    {"after", after},
    {"after_func", after_func},
});

}  // namespace
