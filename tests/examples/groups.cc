// Many fibers for one task: waiting for them, limiting them, collecting their results.
#include <weft/async.h>
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/errgroup.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/parallel.h>
#include <weft/semaphore.h>
#include <weft/singleflight.h>
#include <weft/wait_group.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// wait returns when every fiber of the group has ended.
void wait_group() {
  std::atomic<int> sum = 0;
  weft::wait_group group;
  for (int i = 1; i <= 10; ++i) group.go([&sum, i] { sum += i; });
  group.wait();
  std::printf("%d\n", sum.load());
}
// Prints:
// 55

// The first failure is the group's result, and cancels the context of the other tasks.
void errgroup() {
  auto [group, ctx] = weft::errgroup::with_context(weft::background());
  group.go([&ctx = ctx] { return weft::sleep(ctx, 1h); });
  group.go([] { return make_error_code(std::errc::no_space_on_device); });
  const std::error_code e = group.wait();
  std::printf("%s\n", e.message().c_str());
  if (ctx.err() == weft::errc::canceled) std::puts("the other task did not sleep for an hour");
}
// Prints:
// No space left on device
// the other task did not sleep for an hour

// An exception of a task is a failure too; wait rethrows it.
void errgroup_exception() {
  weft::errgroup group;
  group.go([] { throw std::runtime_error("out of paper"); });
  try {
    (void)group.wait();
  } catch (const std::runtime_error& e) {
    std::puts(e.what());
  }
}
// Prints:
// out of paper

// With a limit, go waits while as many tasks are active.
void errgroup_limit() {
  weft::errgroup group;
  group.set_limit(2);
  std::atomic<int> active = 0, most = 0;
  for (int i = 0; i < 10; ++i)
    group.go([&] {
      const int n = ++active;
      for (int seen = most; seen < n && !most.compare_exchange_weak(seen, n);) continue;
      weft::yield();
      --active;
    });
  if (!group.wait()) std::puts(most <= 2 ? "never more than 2" : "too many");
}
// Prints:
// never more than 2

// A request waits until that many tokens are free.
void semaphore() {
  weft::semaphore memory(100);
  memory.acquire(70);
  if (!memory.try_acquire(40)) std::puts("40 more are not free");
  auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
  if (memory.acquire(ctx, 40)) std::puts("nor within 1 ms");
  memory.release(70);
  if (memory.try_acquire(40)) std::puts("now they are");
}
// Prints:
// 40 more are not free
// nor within 1 ms
// now they are

// Callers with the same key share one execution.
void singleflight() {
  weft::singleflight<std::string, std::string> pages;
  auto arrived = weft::make_chan<void>();
  const auto first = pages.call_chan("/index", [=] {
    arrived.recv();
    std::puts("fetching");
    return std::string("the page");
  });
  const auto second = pages.call_chan("/index", [] { return std::string("never called"); });
  arrived.close();
  for (const auto& each : {first, second}) {
    const auto outcome = each.recv();
    std::printf("%s, %s\n", outcome->value.c_str(), outcome->shared ? "shared" : "alone");
  }
}
// Prints:
// fetching
// the page, shared
// the page, shared

// A caller that waits for its result: call returns it directly.
void singleflight_call() {
  weft::singleflight<int, std::string> names;
  const auto [name, shared] = names.call(7, [] { return std::string("seven"); });
  std::printf("%s, %s\n", name.c_str(), shared ? "shared" : "alone");
}
// Prints:
// seven, alone

// A fiber with a result. get waits for it.
void async() {
  weft::task<int> left = weft::async([] { return 40; });
  weft::task<int> right = weft::async([](int n) { return n + 1; }, 1);
  std::printf("%d\n", left.get() + right.get());
}
// Prints:
// 42

// get rethrows what the fiber threw.
void async_exception() {
  weft::task<void> failing = weft::async([] { throw std::runtime_error("no such page"); });
  try {
    failing.get();
  } catch (const std::runtime_error& e) {
    std::puts(e.what());
  }
}
// Prints:
// no such page

// Branches of a computation, in parallel where a P is free.
int fibonacci(int n) {
  if (n < 2) return n;
  int a = 0, b = 0;
  weft::parallel_invoke([&] { a = fibonacci(n - 1); }, [&] { b = fibonacci(n - 2); });
  return a + b;
}
void parallel_invoke() { std::printf("%d\n", fibonacci(15)); }
// Prints:
// 610

// The iterations run in any order, and at the same time on several Ps.
void parallel_for() {
  std::array<int, 1000> squares{};
  weft::parallel_for(0, 1000, [&](int i) { squares[static_cast<std::size_t>(i)] = i * i; });
  weft::parallel_for(squares, [](int& n) { n += 1; });
  std::printf("%d %d %d\n", squares[0], squares[10], squares[999]);
}
// Prints:
// 1 101 998002

// The values are joined in the order of their indices.
void parallel_reduce() {
  const std::string letters = weft::parallel_reduce(
      0, 26, std::string(), [](int i) { return std::string(1, static_cast<char>('a' + i)); }, std::plus<>());
  std::puts(letters.c_str());
}
// Prints:
// abcdefghijklmnopqrstuvwxyz

// The count by hand, for fibers that end in other ways than a return.
void wait_group_add() {
  weft::wait_group group;
  group.add(2);
  for (int i = 0; i < 2; ++i) weft::go([&group] { group.done(); });
  group.wait();
  std::puts("both are done");
}
// Prints:
// both are done

// try_go starts a task only below the limit: the caller does the work itself otherwise.
void errgroup_try_go() {
  weft::errgroup group;
  group.set_limit(1);
  auto release = weft::make_chan<void>();
  group.go([release] { release.recv(); });
  if (!group.try_go([] {})) std::puts("at the limit");
  release.close();
  if (!group.wait()) std::puts("no failure");
}
// Prints:
// at the limit
// no failure

// The grain: how many iterations run in one piece, on one fiber.
void parallel_grain() {
  std::atomic<int> odd = 0;
  weft::parallel_for(
      0, 100, [&](int i) { odd += i % 2; }, weft::parallel_options{.grain = 10});
  std::printf("%d\n", odd.load());
}
// Prints:
// 50

const examples::group groups({
    {"wait_group", wait_group},
    {"errgroup", errgroup},
    {"errgroup_exception", errgroup_exception},
    {"errgroup_limit", errgroup_limit},
    {"semaphore", semaphore},
    {"singleflight", singleflight},
    {"singleflight_call", singleflight_call},
    {"async", async},
    {"async_exception", async_exception},
    {"parallel_invoke", parallel_invoke},
    {"parallel_for", parallel_for},
    {"parallel_reduce", parallel_reduce},
    {"wait_group_add", wait_group_add},
    {"errgroup_try_go", errgroup_try_go},
    {"parallel_grain", parallel_grain},
});

}  // namespace
