// Shared memory: locks, condition variables, once, pools, and values that many fibers read.
#include <weft/atomic_value.h>
#include <weft/cond.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/pool.h>
#include <weft/rw_mutex.h>
#include <weft/sync_map.h>
#include <weft/wait_group.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// std::lock_guard works with a weft::mutex; a fiber that waits for it parks.
void mutex() {
  weft::mutex mu;
  int count = 0;
  weft::wait_group group;
  for (int i = 0; i < 100; ++i)
    group.go([&] {
      const std::lock_guard hold(mu);
      ++count;
    });
  group.wait();
  std::printf("%d\n", count);
}
// Prints:
// 100

// try_lock does not wait; try_lock_for and lock with a context give up.
void mutex_time_limit() {
  weft::mutex mu;
  const std::lock_guard hold(mu);
  if (!mu.try_lock()) std::puts("held");
  if (!mu.try_lock_for(1ms)) std::puts("still held");
  auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
  if (mu.lock(ctx) == weft::errc::deadline_exceeded) std::puts("the context is done");
}
// Prints:
// held
// still held
// the context is done

// Many readers, or one writer.
void rw_mutex() {
  weft::rw_mutex lock;
  {
    const std::shared_lock reading(lock);
    if (lock.try_lock_shared()) {
      std::puts("two readers");
      lock.unlock_shared();
    }
    if (!lock.try_lock()) std::puts("no writer beside a reader");
  }
  const std::lock_guard writing(lock);
  if (!lock.try_lock_shared()) std::puts("no reader beside a writer");
}
// Prints:
// two readers
// no writer beside a reader
// no reader beside a writer

// wait releases the lock while it waits, and returns when the predicate is true.
void cond() {
  weft::mutex mu;
  weft::cond not_empty;
  std::deque<int> queue;
  weft::wait_group group;
  group.go([&] {
    for (int i = 1; i <= 3; ++i) {
      const std::lock_guard hold(mu);
      queue.push_back(i);
      not_empty.signal();
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::unique_lock hold(mu);
    not_empty.wait(hold, [&] { return !queue.empty(); });
    std::printf("%d\n", queue.front());
    queue.pop_front();
  }
  group.wait();
}
// Prints:
// 1
// 2
// 3

// The first caller runs the function; the others wait until it has returned.
void once() {
  weft::once init;
  weft::wait_group group;
  for (int i = 0; i < 3; ++i) group.go([&] { init.call([] { std::puts("initialised"); }); });
  group.wait();
}
// Prints:
// initialised

// A value that is computed at its first use. Copies of the function object share it.
void once_value() {
  const auto table = weft::once_value([] {
    std::puts("loading");
    return std::string("the table");
  });
  std::puts(table().c_str());
  std::puts(table().c_str());
}
// Prints:
// loading
// the table
// the table

// get returns an object that was put before, or makes one.
void pool() {
  weft::pool<std::string> buffers([] { return std::make_unique<std::string>("new"); });
  auto buffer = buffers.get();
  std::puts(buffer->c_str());
  *buffer = "used before";
  buffers.put(std::move(buffer));
  std::puts(buffers.get()->c_str());
}
// Prints:
// new
// used before

// Readers keep a snapshot while a writer replaces the value.
void atomic_value() {
  weft::atomic_value<std::string> config("version 1");
  const weft::snapshot<std::string> before = config.load();
  config.store("version 2");
  std::printf("%s, now %s\n", before->c_str(), config.load()->c_str());
  if (!config.compare_and_swap(before, "version 3")) std::puts("it has changed since");
}
// Prints:
// version 1, now version 2
// it has changed since

// A map that fibers share without a lock of their own.
void sync_map() {
  weft::sync_map<std::string, int> ports;
  ports.store("http", 80);
  const auto [port, loaded] = ports.load_or_store("http", 8080);
  std::printf("%d %s\n", port, loaded ? "was there" : "is new");
  if (ports.compare_and_swap("http", 80, 8080)) std::printf("%d\n", *ports.load("http"));
  ports.erase("http");
  if (!ports.load("http")) std::puts("erased");
}
// Prints:
// 80 was there
// 8080
// erased

// broadcast wakes all waiters; signal wakes the oldest waiter.
void cond_broadcast() {
  weft::mutex mu;
  weft::cond started;
  bool go = false;
  weft::wait_group group;
  for (int i = 0; i < 3; ++i)
    group.go([&] {
      std::unique_lock hold(mu);
      started.wait(hold, [&] { return go; });
    });
  {
    const std::lock_guard hold(mu);
    go = true;
  }
  started.broadcast();
  group.wait();
  std::puts("all have started");
}
// Prints:
// all have started

// A function object that calls its function once, however often it is called. Copies share the
// call.
void once_func() {
  const auto close = weft::once_func([] { std::puts("closed"); });
  const auto copy = close;
  close();
  copy();
}
// Prints:
// closed

// The readers' side of an rw_mutex as a Lockable, for code that takes any lock.
void r_locker() {
  weft::rw_mutex lock;
  auto readers = lock.r_locker();
  const std::lock_guard reading(readers);
  if (lock.try_lock_shared()) std::puts("another reader is admitted");
  lock.unlock_shared();
}
// Prints:
// another reader is admitted

// range calls a function for each key, without a lock: it may change the map.
void sync_map_range() {
  weft::sync_map<int, int> squares;
  for (int i = 1; i <= 4; ++i) squares.store(i, i * i);
  squares.range([&](int n, int) {
    if (n % 2 != 0) squares.erase(n);
  });
  int sum = 0;
  squares.range([&](int, int square) { sum += square; });
  std::printf("%d\n", sum);
}
// Prints:
// 20

const examples::group sync_group({
    {"mutex", mutex},
    {"mutex_time_limit", mutex_time_limit},
    {"rw_mutex", rw_mutex},
    {"cond", cond},
    {"once", once},
    {"once_value", once_value},
    {"pool", pool},
    {"atomic_value", atomic_value},
    {"sync_map", sync_map},
    {"cond_broadcast", cond_broadcast},
    {"once_func", once_func},
    {"r_locker", r_locker},
    {"sync_map_range", sync_map_range},
});

}  // namespace
