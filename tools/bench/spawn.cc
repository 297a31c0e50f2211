// Switching, spawning, forking and joining.
#include <weft/weft.h>

#include "tools/bench/peers/forks.h"
#include "tools/bench/workload.h"

namespace bench {

result yield_fibers(const params& a) {
  const std::int64_t k = a.crowd(2), n = a.count(4'000'000) / k;
  weft::wait_group all;
  auto start = weft::make_chan<void>();
  all.add(static_cast<int>(k));
  for (std::int64_t i = 0; i < k; ++i)
    weft::go([&all, start, n] {
      start.recv();
      for (std::int64_t j = 0; j < n; ++j) weft::yield();
      all.done();
    });
  const stopwatch t;
  start.close();
  all.wait();
  return {"switch", n * k, t.elapsed(), {}};
}

result spawn_batch(const params& a) {
  const std::int64_t batch = a.crowd(1000), batches = (a.count(1'000'000) + batch - 1) / batch;
  weft::wait_group all;
  const auto spawn = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      all.add(static_cast<int>(batch));
      for (std::int64_t j = 0; j < batch; ++j) weft::go([&all] { all.done(); });
      all.wait();
    }
  };
  spawn(20);  // warms the free lists
  const stopwatch t;
  spawn(batches);
  return {"spawn", batches * batch, t.elapsed(), {}};
}

result spawn_one(const params& a) {
  const std::int64_t n = a.count(500'000);
  weft::wait_group one;
  const auto spawn = [&](std::int64_t total) {
    for (std::int64_t i = 0; i < total; ++i) {
      one.add(1);
      weft::go([&one] { one.done(); });
      one.wait();
    }
  };
  spawn(1000);
  const stopwatch t;
  spawn(n);
  return {"spawn+join", n, t.elapsed(), {}};
}

namespace {

std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  std::int64_t x = 0;
  weft::wait_group forked;
  forked.add(1);
  weft::go([&x, &forked, n] {
    x = fib(n - 1);
    forked.done();
  });
  const std::int64_t y = fib(n - 2);
  forked.wait();
  return x + y;
}

void sum_leaves(const weft::chan<std::int64_t>& to, std::int64_t number, std::int64_t leaves) {
  if (leaves < 2) {
    to.send(number);
    return;
  }
  auto parts = weft::make_chan<std::int64_t>();
  const std::int64_t part = leaves / 10;
  for (int i = 0; i < 10; ++i) weft::go([parts, first = number + i * part, part] { sum_leaves(parts, first, part); });
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += *parts.recv();
  to.send(sum);
}

}  // namespace

result fork_join_fib(const params& a) {
  const std::int64_t n = a.count(32);
  const stopwatch t;
  const std::int64_t v = fib(n);
  return {"fork", forks::forks_of_fib(n), t.elapsed(), {{"value", v}, {"rss_mb", rss_bytes() >> 20}}};
}

result skynet(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  auto sum = weft::make_chan<std::int64_t>();
  const stopwatch t;
  weft::go([sum, n] { sum_leaves(sum, 0, n); });
  const std::int64_t v = *sum.recv();
  return {"leaf", n, t.elapsed(), {{"value", v}, {"rss_mb", rss_bytes() >> 20}}};
}

}  // namespace bench
