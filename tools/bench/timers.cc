// Timers and sleep.
#include <weft/weft.h>

#include <algorithm>
#include <vector>

#include "tools/bench/workload.h"

namespace bench {

using namespace std::chrono_literals;

namespace {

// A small random source, so that 100,000 of them cost little memory.
struct splitmix {
  std::uint64_t s;
  std::uint64_t next() noexcept {
    s += 0x9e3779b97f4a7c15;
    std::uint64_t z = s;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

}  // namespace

result arm_and_stop(const params& a) {
  const std::int64_t n = a.count(5'000'000);
  std::vector<weft::timer> pending;
  splitmix random{1};
  for (std::int64_t i = 0; i < a.fibers; ++i)
    pending.push_back(weft::after_func(1h + std::chrono::nanoseconds(random.next() % 3'600'000'000'000), [] {}));
  const stopwatch t;
  for (std::int64_t i = 0; i < n; ++i) weft::after_func(1h, [] {}).stop();
  const auto d = t.elapsed();
  for (weft::timer& one : pending) one.stop();
  return {"create+stop", n, d, {}};
}

result sleepers(const params& a) {
  const std::int64_t k = a.crowd(100'000), rounds = std::max<std::int64_t>(a.count(5), 2);
  // How late, in microseconds. Each fiber's first sleep is left out: it measures the crowd being
  // made, not the timers.
  std::vector<std::int32_t> late(static_cast<std::size_t>(k * (rounds - 1)));
  weft::wait_group all;
  all.add(static_cast<int>(k));
  const double cpu = cpu_seconds();
  const stopwatch t;
  for (std::int64_t i = 0; i < k; ++i)
    weft::go([&, i] {
      splitmix random{static_cast<std::uint64_t>(i)};
      for (std::int64_t j = 0; j < rounds; ++j) {
        const auto d = std::chrono::microseconds(1000 + static_cast<std::int64_t>(random.next() % 99'001));
        const auto began = weft::now();
        weft::sleep(d);
        if (j == 0) continue;
        const auto over = std::chrono::duration_cast<std::chrono::microseconds>(weft::now() - began - d);
        late[static_cast<std::size_t>(i * (rounds - 1) + j - 1)] = static_cast<std::int32_t>(over.count());
      }
      all.done();
    });
  all.wait();
  const auto d = t.elapsed();
  const double used = cpu_seconds() - cpu;
  std::sort(late.begin(), late.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<std::int64_t>(late[std::min(late.size() - 1, late.size() * percent / 100)]);
  };
  return {"sleep",
          k * rounds,
          d,
          {{"cpu_ns_per_op", used * 1e9 / static_cast<double>(k * rounds)},
           {"cpu_sleep_s", used},
           {"over_p50_us", at(50)},
           {"over_p99_us", at(99)},
           {"over_max_us", at(100)}}};
}

}  // namespace bench
