// std::thread: a thread where the others have a fiber, and channels of a mutex and a condition
// variable. P is the number of CPUs that the process may use.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "peer.h"

namespace {

using namespace std::chrono_literals;
using peer::clock;
using peer::params;
using peer::result;

// A bounded channel; capacity 0 hands over: a send returns when its value has been taken.
class channel {
 public:
  explicit channel(std::size_t capacity) : capacity_(capacity) {}

  void send(std::int64_t v) {
    std::unique_lock hold(m_);
    room_.wait(hold, [this] { return items_.size() < std::max<std::size_t>(capacity_, 1); });
    items_.push_back(v);
    const std::uint64_t mine = ++sent_;
    filled_.notify_one();
    if (capacity_ == 0) taken_.wait(hold, [&] { return received_ >= mine; });
  }

  std::optional<std::int64_t> recv() {
    std::unique_lock hold(m_);
    filled_.wait(hold, [this] { return !items_.empty() || closed_; });
    if (items_.empty()) return std::nullopt;
    const std::int64_t v = items_.front();
    items_.pop_front();
    ++received_;
    room_.notify_one();
    if (capacity_ == 0) taken_.notify_one();
    return v;
  }

  void close() {
    const std::lock_guard hold(m_);
    closed_ = true;
    filled_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex m_;
  std::condition_variable room_, filled_, taken_;
  std::deque<std::int64_t> items_;
  std::uint64_t sent_ = 0, received_ = 0;
  bool closed_ = false;
};

// Threads that are joined at the end of the scope.
struct crew {
  std::vector<std::jthread> all;
  template <class F>
  void go(F f) {
    all.emplace_back(std::move(f));
  }
};

result yield_threads(const params& a) {
  const std::int64_t k = a.crowd(2), n = a.count(4'000'000) / k;
  const auto t = clock::now();
  {
    crew all;
    for (std::int64_t i = 0; i < k; ++i)
      all.go([n] {
        for (std::int64_t j = 0; j < n; ++j) std::this_thread::yield();
      });
  }
  return {"switch", n * k, clock::now() - t};
}

result spawn_batch(const params& a) {
  const std::int64_t batch = a.crowd(1000), batches = (a.count(1'000'000) + batch - 1) / batch;
  const auto t = clock::now();
  for (std::int64_t i = 0; i < batches; ++i) {
    crew all;
    for (std::int64_t j = 0; j < batch; ++j) all.go([] {});
  }
  return {"spawn", batches * batch, clock::now() - t};
}

result spawn_one(const params& a) {
  const std::int64_t n = a.count(500'000);
  const auto t = clock::now();
  for (std::int64_t i = 0; i < n; ++i) std::thread([] {}).join();
  return {"spawn+join", n, clock::now() - t};
}

result ping_pong(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  channel ping(0), pong(0);
  crew all;
  all.go([&] {
    while (const auto v = ping.recv()) pong.send(*v);
  });
  const auto t = clock::now();
  for (std::int64_t i = 0; i < n; ++i) {
    ping.send(i);
    pong.recv();
  }
  const auto d = clock::now() - t;
  ping.close();
  return {"round trip", n, d};
}

result pipe(const params& a, std::int64_t k) {
  const std::int64_t n = a.count(4'000'000) / k;
  channel items(static_cast<std::size_t>(a.cap));
  std::vector<std::int64_t> sums(static_cast<std::size_t>(k));
  const auto t = clock::now();
  {
    crew consuming;
    {
      crew producing;
      for (std::int64_t i = 0; i < k; ++i) {
        producing.go([&] {
          for (std::int64_t j = 0; j < n; ++j) items.send(1);
        });
        consuming.go([&items, &sum = sums[static_cast<std::size_t>(i)]] {
          while (const auto v = items.recv()) sum += *v;
        });
      }
    }
    items.close();
  }
  return {"item", n * k, clock::now() - t};
}

result mutex_alone(const params& a) {
  const std::int64_t n = a.count(50'000'000);
  std::mutex m;
  std::int64_t v = 0;
  std::jthread other([] { std::this_thread::sleep_for(1ms); });  // glibc's locks know a process of one thread
  const auto t = clock::now();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::lock_guard hold(m);
    ++v;
  }
  return {"lock+unlock", n, clock::now() - t, {{"value", double(v)}}};
}

result mutex_contended(const params& a) {
  const std::int64_t k = a.crowd(8), n = a.count(8'000'000) / k;
  std::mutex m;
  std::int64_t v = 0;
  const auto t = clock::now();
  {
    crew all;
    for (std::int64_t i = 0; i < k; ++i)
      all.go([&] {
        for (std::int64_t j = 0; j < n; ++j) {
          const std::lock_guard hold(m);
          ++v;
        }
      });
  }
  return {"lock+unlock", n * k, clock::now() - t, {{"value", double(v)}}};
}

result sleepers(const params& a) {
  const std::int64_t k = a.crowd(10'000), rounds = std::max<std::int64_t>(a.count(5), 2);
  std::vector<std::int32_t> late(static_cast<std::size_t>(k * (rounds - 1)));
  const double cpu = peer::cpu_seconds();
  const auto t = clock::now();
  {
    crew all;
    for (std::int64_t i = 0; i < k; ++i)
      all.go([&, i] {
        peer::splitmix random{static_cast<std::uint64_t>(i)};
        for (std::int64_t j = 0; j < rounds; ++j) {
          const auto d = std::chrono::microseconds(1000 + static_cast<std::int64_t>(random.next() % 99'001));
          const auto began = clock::now();
          std::this_thread::sleep_for(d);
          const auto over = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - began - d);
          if (j > 0) late[static_cast<std::size_t>(i * (rounds - 1) + j - 1)] = static_cast<std::int32_t>(over.count());
        }
      });
  }
  return peer::slept(std::move(late), k * rounds, clock::now() - t, peer::cpu_seconds() - cpu);
}

result idle(const params& a) {
  return peer::at_rest(a, [](auto d) -> std::int64_t {
    std::this_thread::sleep_for(d);
    return 1;
  });
}

result wake_ups(const params& a) {
  return peer::at_rest(a, [](auto d) -> std::int64_t {
    auto next = clock::now();
    for (std::int64_t left = d / 1ms; left > 0; --left) std::this_thread::sleep_until(next += 1ms);
    return d / 1ms;
  });
}

result tickers(const params& a) {
  return peer::at_rest(a, [p = a.p](auto d) {
    const std::int64_t ticks = d / 10ms;
    crew all;
    for (int i = 0; i < p; ++i)
      all.go([ticks] {
        auto next = clock::now();
        for (std::int64_t left = ticks; left > 0; --left) std::this_thread::sleep_until(next += 10ms);
      });
    all.all.clear();
    return ticks * p;
  });
}

}  // namespace

int main(int argc, char** argv) {
  return peer::main_of(argc, argv, "threads",
                       {{"yield", "-fibers threads (2) each yield, n times in all", yield_threads},
                        {"spawnbatch", "start n empty threads, joined -fibers (1000) at a time", spawn_batch},
                        {"spawnone", "start one empty thread and join it, n times", spawn_one},
                        {"pingpong", "two threads, two unbuffered channels, n round trips", ping_pong},
                        {"spsc", "one producer, one consumer, n items", [](const params& a) { return pipe(a, 1); }},
                        {"mpmc", "four producers, four consumers, n items", [](const params& a) { return pipe(a, 4); }},
                        {"mutex", "uncontended lock+unlock, n times", mutex_alone},
                        {"mutexcontend", "-fibers threads (8) lock, add one, unlock", mutex_contended},
                        {"sleepers", "-fibers threads (10000) each sleep a random 1-100 ms", sleepers},
                        {"idle", "nothing to do for -ms (1000): CPU used", idle},
                        {"wakeups", "a thread that wakes every millisecond: CPU used", wake_ups},
                        {"tickers", "a thread per P that wakes every 10 ms: CPU used", tickers}},
                       [](const params& a, auto f) {
                         peer::use_cpus(a.p);
                         f();
                       });
}
