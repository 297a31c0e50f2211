// S8: reading a configuration: a reader-writer lock against an atomic value.
#include <array>
#include <mutex>
#include <shared_mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int readers = 4;
using numbers = std::array<int, 6>;

numbers version(int i) { return {i, i + 1, i + 2, i + 3, i + 4, i + 5}; }

// One writer writes until four readers have read `reads` times each. Prints how long a read took.
template <class Write, class Read>
void measure(const char* what, Write write, Read read) {
  constexpr long reads = 200'000;
  std::atomic<int> reading{readers};
  std::atomic<long> inconsistent{0};
  const time_point began = now();
  wait_group all;
  all.add(1 + readers);
  go({.name = "writer"}, [&] {
    for (int i = 1; reading.load() > 0; ++i) {
      write(i);
      yield();
    }
    all.done();
  });
  for (int n = 0; n < readers; ++n)
    go({.name = fmt::format("reader {}", n)}, [&] {
      long bad = 0;
      for (long i = 0; i < reads; ++i) bad += read();
      inconsistent.fetch_add(bad);
      reading.fetch_sub(1);
      all.done();
    });
  all.wait();
  const double ns = static_cast<double>((now() - began).count()) * maxprocs() / (readers * reads);
  println("{}: {:.1f} ns of a P per read, {} inconsistent", what, ns, inconsistent.load());
}

bool torn(const numbers& a) { return a[5] != a[0] + 5; }

void with_lock() {
  rw_mutex lock;
  numbers config = version(0);
  measure(
      "rw_mutex",
      [&](int i) {
        const std::lock_guard hold(lock);
        config = version(i);
      },
      [&] {
        const std::shared_lock hold(lock);
        return torn(config);
      });
}

void with_atomic() {
  atomic_value<numbers> config(version(0));
  measure(
      "atomic_value", [&](int i) { config.store(version(i)); }, [&] { return torn(*config.load()); });
}

const lesson::page page{"S8",
                        "mutex_or_atomic",
                        {{"mutex", "a reader-writer lock", with_lock}, {"atomic", "an atomic value", with_atomic}}};

}  // namespace
