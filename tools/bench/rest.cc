// At rest: the CPU that a process uses which has nothing, or next to nothing, to do.
#include <weft/weft.h>

#include "tools/bench/workload.h"

namespace bench {

using namespace std::chrono_literals;

namespace {

// `f` returns how often something happened. A first run of 50 ms makes the threads.
template <class F>
result at_rest(const params& a, F f) {
  f(50ms);
  const double before = cpu_seconds();
  const stopwatch t;
  const std::int64_t times = f(std::chrono::milliseconds(a.ms > 0 ? a.ms : 1000));
  const auto d = t.elapsed();
  const double used = cpu_seconds() - before;
  return {"event", times, d, {{"cpu_us_per_s", used * 1e6 / std::chrono::duration<double>(d).count()}}};
}

}  // namespace

result idle(const params& a) {
  return at_rest(a, [](std::chrono::milliseconds d) -> std::int64_t {
    weft::sleep(d);
    return 1;
  });
}

result wake_ups(const params& a) {
  return at_rest(a, [](std::chrono::milliseconds d) -> std::int64_t {
    auto next = weft::now();
    for (std::int64_t left = d / 1ms; left > 0; --left) weft::sleep((next += 1ms) - weft::now());
    return d / 1ms;
  });
}

result tickers(const params& a) {
  return at_rest(a, [p = a.p](std::chrono::milliseconds d) {
    const std::int64_t ticks = d / 10ms;
    weft::wait_group all;
    for (int i = 0; i < p; ++i)
      all.go([ticks] {
        weft::ticker each(10ms);
        for (std::int64_t left = ticks; left > 0; --left) each.c().recv();
      });
    all.wait();
    return ticks * p;
  });
}

}  // namespace bench
