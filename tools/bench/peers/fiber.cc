// Boost.Fiber: the workloads on its own fibers, channels and mutexes. One P runs its round robin
// scheduler; more run its work stealing one on a thread each, as its own examples do: idle threads
// look for work without sleep.
#include <malloc.h>

#include <boost/fiber/all.hpp>

#include <atomic>
#include <mutex>
#include <thread>

#include "forks.h"
#include "peer.h"

namespace {

namespace fibers = boost::fibers;
using namespace std::chrono_literals;
using peer::clock;
using peer::params;
using peer::result;
template <class T>
using unbuffered = fibers::unbuffered_channel<T>;

// Waits for a number of fibers, as Go's WaitGroup does.
class group {
 public:
  void add(std::int64_t n) { left_.fetch_add(n, std::memory_order_relaxed); }
  void done() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard hold(m_);
    zero_.notify_all();
  }
  void wait() {
    std::unique_lock hold(m_);
    zero_.wait(hold, [this] { return left_.load(std::memory_order_acquire) == 0; });
  }

 private:
  std::atomic<std::int64_t> left_ = 0;
  fibers::mutex m_;
  fibers::condition_variable zero_;
};

template <class F>
void go(F f) {
  fibers::fiber(std::move(f)).detach();
}

result yield_fibers(const params& a) {
  const std::int64_t k = a.crowd(2), n = a.count(4'000'000) / k;
  group all;
  fibers::barrier start(static_cast<std::size_t>(k) + 1);
  all.add(k);
  for (std::int64_t i = 0; i < k; ++i)
    go([&] {
      start.wait();
      for (std::int64_t j = 0; j < n; ++j) boost::this_fiber::yield();
      all.done();
    });
  start.wait();
  const auto t = clock::now();
  all.wait();
  return {"switch", n * k, clock::now() - t};
}

result spawn_batch(const params& a) {
  const std::int64_t batch = a.crowd(1000), batches = (a.count(1'000'000) + batch - 1) / batch;
  group all;
  const auto spawn = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      all.add(batch);
      for (std::int64_t j = 0; j < batch; ++j) go([&all] { all.done(); });
      all.wait();
    }
  };
  spawn(20);
  const auto t = clock::now();
  spawn(batches);
  return {"spawn", batches * batch, clock::now() - t};
}

result spawn_one(const params& a) {
  const std::int64_t n = a.count(500'000);
  const auto spawn = [](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) fibers::fiber([] {}).join();
  };
  spawn(1000);
  const auto t = clock::now();
  spawn(n);
  return {"spawn+join", n, clock::now() - t};
}

std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  std::int64_t x = 0;
  fibers::fiber forked(fibers::launch::dispatch, [&x, n] { x = fib(n - 1); });
  const std::int64_t y = fib(n - 2);
  forked.join();
  return x + y;
}

result fork_join_fib(const params& a) {
  const std::int64_t n = a.count(32);
  const auto t = clock::now();
  const std::int64_t v = fib(n);
  return {"fork", forks::forks_of_fib(n), clock::now() - t, {{"value", double(v)}}};
}

void sum_leaves(unbuffered<std::int64_t>& to, std::int64_t number, std::int64_t leaves) {
  if (leaves == 1) {
    to.push(number);
    return;
  }
  unbuffered<std::int64_t> parts;
  const std::int64_t part = leaves / 10;
  fibers::fiber ten[10];
  for (int i = 0; i < 10; ++i)
    ten[i] = fibers::fiber(fibers::launch::dispatch,
                           [&parts, first = number + i * part, part] { sum_leaves(parts, first, part); });
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += parts.value_pop();
  for (auto& one : ten) one.join();
  to.push(sum);
}

result skynet(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  unbuffered<std::int64_t> sum;
  const auto t = clock::now();
  fibers::fiber root([&] { sum_leaves(sum, 0, n); });
  const std::int64_t v = sum.value_pop();
  const auto d = clock::now() - t;
  root.join();
  return {"leaf", n, d, {{"value", double(v)}}};
}

result ping_pong(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  unbuffered<std::int64_t> ping, pong;
  fibers::fiber other([&] {
    for (const std::int64_t v : ping) pong.push(v);
  });
  const auto t = clock::now();
  for (std::int64_t i = 0; i < n; ++i) {
    ping.push(i);
    pong.value_pop();
  }
  const auto d = clock::now() - t;
  ping.close();
  other.join();
  return {"round trip", n, d};
}

// Its buffered channel has a power of two of slots and keeps one free.
result pipe(const params& a, std::int64_t k) {
  const std::int64_t n = a.count(4'000'000) / k;
  std::size_t slots = 2;
  while (slots < static_cast<std::size_t>(a.cap)) slots *= 2;
  fibers::buffered_channel<std::int64_t> items(slots);
  group producing, consuming;
  producing.add(k);
  consuming.add(k);
  std::atomic<std::int64_t> total = 0;
  const auto t = clock::now();
  for (std::int64_t i = 0; i < k; ++i) {
    go([&] {
      for (std::int64_t j = 0; j < n; ++j) items.push(1);
      producing.done();
    });
    go([&] {
      std::int64_t sum = 0;
      for (const std::int64_t v : items) sum += v;
      total += sum;
      consuming.done();
    });
  }
  producing.wait();
  items.close();
  consuming.wait();
  return {"item", n * k, clock::now() - t, {{"value", double(total)}}};
}

result ring(const params& a) {
  const std::int64_t k = std::max<std::int64_t>(2, a.crowd(10'000)), rounds = a.count(100);
  std::vector<unbuffered<std::int64_t>> links(static_cast<std::size_t>(k));
  group all;
  all.add(k - 1);
  for (std::size_t i = 1; i < links.size(); ++i)
    go([&all, &in = links[i - 1], &out = links[i]] {
      for (const std::int64_t v : in) out.push(v + 1);
      out.close();
      all.done();
    });
  links.front().push(0);
  std::int64_t v = links.back().value_pop() + 1;  // a round that starts every fiber
  const auto t = clock::now();
  for (std::int64_t i = 0; i < rounds; ++i) {
    links.front().push(v);
    v = links.back().value_pop() + 1;
  }
  const auto d = clock::now() - t;
  links.front().close();
  all.wait();
  return {"hop", k * rounds, d, {{"value", double(v)}}};
}

// As in Go the fibers stay where they are when the last prime is there, and with them what they
// use: a channel of Boost.Fiber 1.74 that is closed while a push waits keeps a pointer into the
// stack of the fiber that pushed.
result sieve(const params& a) {
  const std::int64_t n = a.count(2000);
  auto& links = *new std::vector<unbuffered<std::int64_t>>(static_cast<std::size_t>(n));
  const auto t = clock::now();
  go([&] {
    for (std::int64_t i = 2;; ++i) links[0].push(i);
  });
  std::int64_t prime = 0;
  for (std::size_t i = 0; i < links.size(); ++i) {
    prime = links[i].value_pop();
    if (i + 1 == links.size()) break;
    go([&in = links[i], &out = links[i + 1], prime] {
      for (const std::int64_t v : in)
        if (v % prime != 0) out.push(v);
    });
  }
  return {"prime", n, clock::now() - t, {{"value", double(prime)}}};
}

result many_channels(const params& a) {
  const std::int64_t k = a.crowd(1000), rounds = (a.count(1'000'000) + k - 1) / k;
  std::vector<unbuffered<std::int64_t>> channels(static_cast<std::size_t>(k));
  group all;
  all.add(k);
  for (auto& from : channels)
    go([&all, &from] {
      std::int64_t v;
      while (from.pop(v) == fibers::channel_op_status::success) {
      }
      all.done();
    });
  for (auto& c : channels) c.push(0);  // starts every fiber
  const auto t = clock::now();
  for (std::int64_t i = 0; i < rounds; ++i)
    for (auto& c : channels) c.push(i);
  const auto d = clock::now() - t;
  for (auto& c : channels) c.close();
  all.wait();
  return {"item", rounds * k, d};
}

result mutexes(std::int64_t k, std::int64_t n) {
  fibers::mutex m;
  group all;
  std::int64_t v = 0;
  all.add(k);
  const auto t = clock::now();
  for (std::int64_t i = 0; i < k; ++i)
    go([&] {
      for (std::int64_t j = 0; j < n / k; ++j) {
        const std::lock_guard hold(m);
        ++v;
      }
      all.done();
    });
  all.wait();
  return {"lock+unlock", n / k * k, clock::now() - t, {{"value", double(v)}}};
}

result mutex_alone(const params& a) { return mutexes(1, a.count(50'000'000)); }
result mutex_contended(const params& a) { return mutexes(a.crowd(8), a.count(8'000'000)); }

result sleepers(const params& a) {
  const std::int64_t k = a.crowd(100'000), rounds = std::max<std::int64_t>(a.count(5), 2);
  std::vector<std::int32_t> late(static_cast<std::size_t>(k * (rounds - 1)));
  group all;
  all.add(k);
  const double cpu = peer::cpu_seconds();
  const auto t = clock::now();
  for (std::int64_t i = 0; i < k; ++i)
    go([&, i] {
      peer::splitmix random{static_cast<std::uint64_t>(i)};
      for (std::int64_t j = 0; j < rounds; ++j) {
        const auto d = std::chrono::microseconds(1000 + static_cast<std::int64_t>(random.next() % 99'001));
        const auto began = clock::now();
        boost::this_fiber::sleep_for(d);
        const auto over = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - began - d);
        if (j > 0) late[static_cast<std::size_t>(i * (rounds - 1) + j - 1)] = static_cast<std::int32_t>(over.count());
      }
      all.done();
    });
  all.wait();
  const auto d = clock::now() - t;
  return peer::slept(std::move(late), k * rounds, d, peer::cpu_seconds() - cpu);
}

result parked(const params& a) {
  const std::int64_t k = a.crowd(100'000), before = peer::rss_bytes();
  unbuffered<int> never;
  std::atomic<std::int64_t> up = 0;
  group all;
  all.add(k);
  auto t = clock::now();
  for (std::int64_t i = 0; i < k; ++i)
    go([&] {
      up.fetch_add(1, std::memory_order_relaxed);
      int v;
      never.pop(v);
      all.done();
    });
  while (up.load(std::memory_order_relaxed) < k) boost::this_fiber::yield();
  const auto created = clock::now() - t;
  const std::int64_t after = peer::rss_bytes();
  t = clock::now();
  never.close();
  all.wait();
  return peer::stood(k, created, clock::now() - t, after - before);
}

result idle(const params& a) {
  return peer::at_rest(a, [](auto d) -> std::int64_t {
    boost::this_fiber::sleep_for(d);
    return 1;
  });
}

result wake_ups(const params& a) {
  return peer::at_rest(a, [](auto d) -> std::int64_t {
    auto next = clock::now();
    for (std::int64_t left = d / 1ms; left > 0; --left) boost::this_fiber::sleep_until(next += 1ms);
    return d / 1ms;
  });
}

// It has no ticker: a fiber sleeps until the next tick.
result tickers(const params& a) {
  return peer::at_rest(a, [p = a.p](auto d) {
    const std::int64_t ticks = d / 10ms;
    group all;
    all.add(p);
    for (int i = 0; i < p; ++i)
      go([&all, ticks] {
        auto next = clock::now();
        for (std::int64_t left = ticks; left > 0; --left) boost::this_fiber::sleep_until(next += 10ms);
        all.done();
      });
    all.wait();
    return ticks * p;
  });
}

void schedule(int p) {
  if (p == 1) fibers::use_scheduling_algorithm<fibers::algo::round_robin>();
  else fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(static_cast<std::uint32_t>(p));
}

template <class F>
void with_threads(const params& a, F f) {
  // Stacks come from malloc and would go back to the system at every turn.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  std::atomic<bool> over = false;
  std::vector<std::thread> others;
  for (int i = 1; i < a.p; ++i)
    others.emplace_back([&] {
      schedule(a.p);
      while (!over.load()) boost::this_fiber::sleep_for(50ms);
    });
  schedule(a.p);
  f();
  std::_Exit(0);  // the work is done and the line is out; its threads would wait for each other
}

}  // namespace

int main(int argc, char** argv) {
  return peer::main_of(argc, argv, "fiber",
                       {{"yield", "-fibers fibers (2) each yield, n times in all", yield_fibers},
                        {"spawnbatch", "spawn n empty fibers, joined -fibers (1000) at a time", spawn_batch},
                        {"spawnone", "spawn one empty fiber and join it, n times", spawn_one},
                        {"fib", "fork-join fib(n) without cutoff (32)", fork_join_fib},
                        {"skynet", "10-ary tree to n leaves (1000000) summed over channels", skynet},
                        {"pingpong", "two fibers, two unbuffered channels, n round trips", ping_pong},
                        {"spsc", "one producer, one consumer, n items", [](const params& a) { return pipe(a, 1); }},
                        {"mpmc", "four producers, four consumers, n items", [](const params& a) { return pipe(a, 4); }},
                        {"ring", "-fibers fibers (10000) pass one token n rounds (100)", ring},
                        {"sieve", "concurrent prime sieve, first n primes (2000)", sieve},
                        {"channels", "-fibers (1000) channels with a receiver each", many_channels},
                        {"mutex", "uncontended lock+unlock, n times", mutex_alone},
                        {"mutexcontend", "-fibers fibers (8) lock, add one, unlock", mutex_contended},
                        {"sleepers", "-fibers fibers (100000) each sleep a random 1-100 ms", sleepers},
                        {"parked", "-fibers fibers (100000) blocked on a channel", parked},
                        {"idle", "nothing to do for -ms (1000): CPU used", idle},
                        {"wakeups", "a fiber that wakes every millisecond: CPU used", wake_ups},
                        {"tickers", "a fiber per P with a 10 ms ticker: CPU used", tickers}},
                       [](const params& a, auto f) { with_threads(a, f); });
}
