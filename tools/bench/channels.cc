// Channels and select.
#include <weft/weft.h>

#include <algorithm>
#include <vector>

#include "tools/bench/workload.h"

namespace bench {

using weft::go;
using weft::make_chan;

result ping_pong(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  auto ping = make_chan<std::int64_t>(), pong = make_chan<std::int64_t>();
  go([ping, pong] {
    for (const std::int64_t v : ping) pong.send(v);
    pong.close();
  });
  const stopwatch t;
  for (std::int64_t i = 0; i < n; ++i) {
    ping.send(i);
    pong.recv();
  }
  const auto d = t.elapsed();
  ping.close();
  pong.recv();
  return {"round trip", n, d, {}};
}

namespace {

result producers_and_consumers(const params& a, std::int64_t k) {
  const std::int64_t n = a.count(4'000'000) / k;
  auto items = make_chan<std::int64_t>(static_cast<std::size_t>(a.cap));
  weft::wait_group producing, consuming;
  weft::mutex mutex;
  std::int64_t total = 0;
  producing.add(static_cast<int>(k));
  consuming.add(static_cast<int>(k));
  const stopwatch t;
  for (std::int64_t i = 0; i < k; ++i) {
    go([&, items] {
      for (std::int64_t j = 0; j < n; ++j) items.send(1);
      producing.done();
    });
    go([&, items] {
      std::int64_t sum = 0;
      for (const std::int64_t v : items) sum += v;
      {
        const std::lock_guard hold(mutex);
        total += sum;
      }
      consuming.done();
    });
  }
  producing.wait();
  items.close();
  consuming.wait();
  return {"item", n * k, t.elapsed(), {{"value", total}}};
}

}  // namespace

result one_to_one(const params& a) { return producers_and_consumers(a, 1); }
result four_to_four(const params& a) { return producers_and_consumers(a, 4); }

result select_of_two(const params& a) {
  const std::int64_t n = a.count(1'000'000) / 2;
  auto x = make_chan<std::int64_t>(), y = make_chan<std::int64_t>();
  for (const auto& c : {x, y})
    go([c, n] {
      for (std::int64_t i = 0; i < n; ++i) c.send(1);
    });
  std::int64_t sum = 0, v = 0;
  const stopwatch t;
  for (std::int64_t i = 0; i < 2 * n; ++i) {
    switch (weft::select(weft::recv(x, v), weft::recv(y, v))) {
      case 0: sum += v; break;
      case 1: sum += v; break;
    }
  }
  return {"item", 2 * n, t.elapsed(), {{"value", sum}}};
}

result select_otherwise(const params& a) {
  const std::int64_t n = a.count(50'000'000);
  auto c = make_chan<std::int64_t>();
  std::int64_t misses = 0;
  const stopwatch t;
  for (std::int64_t i = 0; i < n; ++i)
    if (weft::select(weft::recv(c), weft::otherwise) == 1) ++misses;
  return {"select", n, t.elapsed(), {{"value", misses}}};
}

result ring(const params& a) {
  const std::int64_t k = std::max<std::int64_t>(2, a.crowd(10'000)), rounds = a.count(100);
  auto first = make_chan<std::int64_t>();
  auto in = first;
  for (std::int64_t i = 1; i < k; ++i) {
    auto out = make_chan<std::int64_t>();
    go([in, out] {
      for (const std::int64_t v : in) out.send(v + 1);
      out.close();
    });
    in = out;
  }
  first.send(0);
  std::int64_t v = *in.recv() + 1;  // a round that starts every fiber
  const stopwatch t;
  for (std::int64_t i = 0; i < rounds; ++i) {
    first.send(v);
    v = *in.recv() + 1;
  }
  const auto d = t.elapsed();
  first.close();
  in.recv();
  return {"hop", k * rounds, d, {{"value", v}}};
}

result sieve(const params& a) {
  const std::int64_t n = a.count(2000);
  const stopwatch t;
  auto in = make_chan<std::int64_t>();
  go([out = in] {
    for (std::int64_t i = 2;; ++i) out.send(i);
  });
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t prime = *in.recv();
    last = prime;
    if (i == n - 1) break;
    auto out = make_chan<std::int64_t>();
    go([in, out, prime] {
      for (;;) {
        const std::int64_t v = *in.recv();
        if (v % prime != 0) out.send(v);
      }
    });
    in = out;
  }
  return {"prime", n, t.elapsed(), {{"value", last}}};
}

result many_channels(const params& a) {
  const std::int64_t k = a.crowd(1000), rounds = (a.count(1'000'000) + k - 1) / k;
  weft::wait_group all;
  std::vector<weft::chan<std::int64_t>> channels;
  for (std::int64_t i = 0; i < k; ++i) {
    channels.push_back(make_chan<std::int64_t>());
    all.go([from = channels.back()] {
      while (from.recv()) {
      }
    });
  }
  for (const auto& c : channels) c.send(0);  // starts every fiber
  const stopwatch t;
  for (std::int64_t i = 0; i < rounds; ++i)
    for (const auto& c : channels) c.send(i);
  const auto d = t.elapsed();
  for (const auto& c : channels) c.close();
  all.wait();
  return {"item", rounds * k, d, {}};
}

}  // namespace bench
