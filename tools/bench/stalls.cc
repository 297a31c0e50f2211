// What stands still: parked fibers and their memory, blocking calls, fibers that compute.
#include <weft/weft.h>

#include <time.h>

#include <atomic>

#include "tools/bench/workload.h"

namespace bench {

using namespace std::chrono_literals;

namespace {

double ms_of(std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1e6; }

}  // namespace

result parked(const params& a) {
  const std::int64_t k = a.crowd(100'000);
  const std::int64_t rss_before = rss_bytes();
  auto never_sent = weft::make_chan<int>();
  std::atomic<std::int64_t> up = 0;
  weft::wait_group all;
  all.add(static_cast<int>(k));
  const stopwatch creating;
  for (std::int64_t i = 0; i < k; ++i)
    weft::go([&, never_sent] {
      up.fetch_add(1, std::memory_order_relaxed);
      never_sent.recv();
      all.done();
    });
  while (up.load(std::memory_order_relaxed) < k) weft::yield();
  const auto create = creating.elapsed();
  const std::int64_t rss_after = rss_bytes();
  const stopwatch waking;
  never_sent.close();
  all.wait();
  const auto wake = waking.elapsed();
  const auto each = [k](auto n) { return static_cast<double>(n) / static_cast<double>(k); };
  return {"create",
          k,
          create,
          {{"rss_per_fiber", each(rss_after - rss_before)},
           {"create_ns", each(create.count())},
           {"wake_ns", each(wake.count())}}};
}

result blocking_calls(const params& a) {
  const std::int64_t k = a.crowd(1000);
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> last = weft::now().time_since_epoch().count(), worst = 0, ticks = 0;
  weft::wait_group all;
  all.add(static_cast<int>(k) + 4);
  for (std::int64_t i = 0; i < k; ++i)
    weft::go([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::int64_t now = weft::now().time_since_epoch().count();
        const std::int64_t gap = now - last.exchange(now, std::memory_order_relaxed);
        std::int64_t w = worst.load(std::memory_order_relaxed);
        while (gap > w && !worst.compare_exchange_weak(w, gap, std::memory_order_relaxed)) {
        }
        ticks.fetch_add(1, std::memory_order_relaxed);
        weft::yield();
      }
      all.done();
    });
  const stopwatch t;
  for (int i = 0; i < 4; ++i)
    weft::go([&] {
      const timespec tenth{.tv_sec = 0, .tv_nsec = 100'000'000};
      ::nanosleep(&tenth, nullptr);  // without blocking()
      all.done();
    });
  weft::sleep(500ms);
  stop.store(true, std::memory_order_relaxed);
  all.wait();
  return {"tick", ticks.load(), t.elapsed(), {{"stall_ms", ms_of(std::chrono::nanoseconds(worst.load()))}}};
}

result hog(const params& a) {
  const auto length = std::chrono::milliseconds(a.ms > 0 ? a.ms : 200);
  weft::duration worst{};
  auto ready = weft::make_chan<void>(), done = weft::make_chan<void>(), end = weft::make_chan<void>();
  std::atomic<bool> stop = false;
  weft::go([&, ready, done] {
    ready.close();
    while (!stop.load(std::memory_order_relaxed)) {
      const auto began = weft::now();
      weft::sleep(1ms);
      worst = std::max(worst, weft::now() - began - weft::duration(1ms));
    }
    done.close();
  });
  ready.recv();
  weft::sleep(20ms);
  const stopwatch t;
  std::uint64_t x = 1;
  weft::go([&, end] {
    for (std::uint64_t i = 0;; ++i) {
      x = x * 6364136223846793005 + 1442695040888963407;
      if ((i & 0xfffff) == 0 && t.elapsed() > length) break;
    }
    end.close();
  });
  end.recv();
  const auto d = t.elapsed();
  stop.store(true, std::memory_order_relaxed);
  done.recv();
  return {"hog", 1, d, {{"late_ms", ms_of(worst)}, {"value", static_cast<std::int64_t>(x & 1)}}};
}

result lateness(const params& a) {
  const std::int64_t k = a.crowd(50);
  const auto length = std::chrono::milliseconds(a.ms > 0 ? a.ms : 5);
  std::atomic<bool> stop = false;
  weft::duration worst{};
  weft::wait_group busy, sleeper;
  sleeper.go([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      const auto began = weft::now();
      weft::sleep(1ms);
      worst = std::max(worst, weft::now() - began - weft::duration(1ms));
    }
  });
  weft::yield();
  const stopwatch t;
  for (std::int64_t i = 0; i < k; ++i)
    busy.go([length] {
      for (const stopwatch own; own.elapsed() < length;) {
      }
    });
  busy.wait();
  const auto d = t.elapsed();
  stop.store(true, std::memory_order_relaxed);
  sleeper.wait();
  return {"fiber", k, d, {{"late_ms", ms_of(worst)}}};
}

}  // namespace bench
