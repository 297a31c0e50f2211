// The rest of sync: reader-writer locks, wait groups, once, pools, conds. Each as P fibers that
// share n operations, on one object each ("alone") or on one shared object.
#include <weft/weft.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "tools/bench/workload.h"

namespace bench {
namespace {

// Calls body(worker, n / P) in P concurrent fibers.
template <class Body>
std::chrono::nanoseconds in_parallel(const params& a, std::int64_t n, Body body) {
  weft::wait_group all;
  auto start = weft::make_chan<void>();
  all.add(a.p);
  for (int worker = 0; worker < a.p; ++worker)
    weft::go([&all, start, worker, n = n / a.p, &body] {
      start.recv();
      body(worker, n);
      all.done();
    });
  const stopwatch t;
  start.close();
  all.wait();
  return t.elapsed();
}

// Keeps the compiler from removing the computation of v.
template <class T>
void use(const T& v) {
  asm volatile("" : : "r,m"(v) : "memory");
}

void some_work() {
  std::int64_t v = 0;
  for (int i = 0; i < 100; ++i) {
    v = v * 2 + 1;
    asm volatile("" : "+r"(v));  // one step after the other, in a register
  }
}

template <class T>
struct alignas(128) apart {
  T it;
};

}  // namespace

result rw_alone(const params& a) {
  const std::int64_t n = a.count(20'000'000);
  const auto d = in_parallel(a, n, [](int, std::int64_t times) {
    apart<weft::rw_mutex> m;
    for (std::int64_t i = 0; i < times; ++i) {
      m.it.lock_shared();
      m.it.lock_shared();
      m.it.unlock_shared();
      m.it.unlock_shared();
      m.it.lock();
      m.it.unlock();
    }
  });
  return {"2 read locks+1 write lock", n, d, {}};
}

result rw_read(const params& a) {
  const std::int64_t n = a.count(50'000'000);
  weft::rw_mutex m;
  const auto d = in_parallel(a, n, [&m](int, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      m.lock_shared();
      m.unlock_shared();
    }
  });
  return {"read lock+unlock", n, d, {}};
}

result rw_write_100(const params& a) {
  const std::int64_t n = a.count(20'000'000);
  weft::rw_mutex m;
  const auto d = in_parallel(a, n, [&m](int, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      if (i % 100 == 0) {
        m.lock();
        m.unlock();
      } else {
        m.lock_shared();
        m.unlock_shared();
      }
    }
  });
  return {"lock+unlock", n, d, {}};
}

result wait_group_alone(const params& a) {
  const std::int64_t n = a.count(20'000'000);
  const auto d = in_parallel(a, n, [](int, std::int64_t times) {
    apart<weft::wait_group> g;
    for (std::int64_t i = 0; i < times; ++i) {
      g.it.add(1);
      g.it.done();
      g.it.wait();
    }
  });
  return {"add+done+wait", n, d, {}};
}

result once_done(const params& a) {
  const std::int64_t n = a.count(200'000'000);
  weft::once once;
  const auto d = in_parallel(a, n, [&once](int, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) once.call([] {});
  });
  return {"call", n, d, {}};
}

result pool_put_get(const params& a) {
  const std::int64_t n = a.count(20'000'000);
  weft::pool<int> pool;
  const auto d = in_parallel(a, n, [&pool](int, std::int64_t times) {
    auto one = std::make_unique<int>(1);
    for (std::int64_t i = 0; i < times; ++i) {
      pool.put(std::move(one));
      one = pool.get();
      if (!one) one = std::make_unique<int>(1);  // another fiber has been quicker
    }
  });
  return {"put+get", n, d, {}};
}

result cond_rounds(const params& a) {
  const std::int64_t n = a.count(50'000), waiters = a.crowd(32);
  weft::mutex m;
  weft::cond c;
  std::int64_t arrived = 0, rounds = 0;
  weft::wait_group all;
  all.add(static_cast<int>(waiters) + 1);
  const stopwatch t;
  for (std::int64_t i = 0; i <= waiters; ++i)
    weft::go([&] {
      for (;;) {
        std::unique_lock hold(m);
        if (rounds == n) break;
        if (++arrived == waiters + 1) {
          arrived = 0;
          ++rounds;
          c.broadcast();
        } else {
          c.wait(hold);
        }
      }
      all.done();
    });
  all.wait();
  return {"round", n, t.elapsed(), {}};
}

result mutex_work(const params& a) {
  const std::int64_t n = a.count(10'000'000);
  weft::mutex m;
  const auto d = in_parallel(a, n, [&m](int, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      m.lock();
      m.unlock();
      some_work();
    }
  });
  return {"lock+unlock+work", n, d, {}};
}

result atomic_load(const params& a) {
  const std::int64_t n = a.count(100'000'000);
  weft::atomic_value<std::vector<int>> v(std::vector<int>{1, 2, 3});
  const auto d = in_parallel(a, n, [&v](int, std::int64_t times) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < times; ++i) sum += v.load()->back();
    use(sum);
  });
  return {"load", n, d, {}};
}

result map_load(const params& a) {
  const std::int64_t n = a.count(20'000'000);
  weft::sync_map<int, int> m;
  for (int i = 0; i < 1023; ++i) m.store(i, i);
  const auto d = in_parallel(a, n, [&m](int, std::int64_t times) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < times; ++i)
      if (const auto v = m.load(static_cast<int>(i % 1024))) sum += *v;
    use(sum);
  });
  return {"load", n, d, {}};
}

}  // namespace bench
