// Mutexes, alone and contended.
#include <weft/weft.h>

#include <mutex>

#include "tools/bench/workload.h"

namespace bench {

result mutex_alone(const params& a) {
  const std::int64_t n = a.count(50'000'000);
  weft::mutex mutex;
  std::int64_t v = 0;
  const stopwatch t;
  for (std::int64_t i = 0; i < n; ++i) {
    mutex.lock();
    ++v;
    mutex.unlock();
  }
  return {"lock+unlock", n, t.elapsed(), {{"value", v}}};
}

namespace {

result contended(const params& a, std::int64_t otherwise, bool yield_inside) {
  const std::int64_t k = a.crowd(8), n = a.count(otherwise) / k;
  weft::mutex mutex;
  weft::wait_group all;
  std::int64_t v = 0;
  all.add(static_cast<int>(k));
  const stopwatch t;
  for (std::int64_t i = 0; i < k; ++i)
    weft::go([&, n, yield_inside] {
      for (std::int64_t j = 0; j < n; ++j) {
        const std::lock_guard hold(mutex);
        ++v;
        if (yield_inside) weft::yield();
      }
      all.done();
    });
  all.wait();
  return {"lock+unlock", n * k, t.elapsed(), {{"value", v}}};
}

}  // namespace

result mutex_contended(const params& a) { return contended(a, 8'000'000, false); }
result mutex_yielding(const params& a) { return contended(a, 800'000, true); }

}  // namespace bench
