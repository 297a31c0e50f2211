// oneTBB: fork and join on its task groups. A task that waits runs other tasks on its own stack.
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <functional>

#include "forks.h"
#include "peer.h"

namespace {

using oneapi::tbb::task_group;
using peer::clock;
using peer::params;
using peer::result;

std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  std::int64_t x = 0;
  task_group forked;
  forked.run([&x, n] { x = fib(n - 1); });
  const std::int64_t y = fib(n - 2);
  forked.wait();
  return x + y;
}

result fork_join_fib(const params& a) {
  const std::int64_t n = a.count(32);
  const auto t = clock::now();
  const std::int64_t v = fib(n);
  return {"fork", forks::forks_of_fib(n), clock::now() - t, {{"value", double(v)}}};
}

std::int64_t sum_leaves(std::int64_t number, std::int64_t leaves) {
  if (leaves < 2) return number;
  std::int64_t sums[10] = {};
  const std::int64_t part = leaves / 10;
  task_group parts;
  for (int i = 0; i < 10; ++i)
    parts.run([&sum = sums[i], first = number + i * part, part] { sum = sum_leaves(first, part); });
  parts.wait();
  std::int64_t sum = 0;
  for (const std::int64_t one : sums) sum += one;
  return sum;
}

result skynet(const params& a) {
  const std::int64_t n = a.count(1'000'000);
  const auto t = clock::now();
  const std::int64_t v = sum_leaves(0, n);
  return {"leaf", n, clock::now() - t, {{"value", double(v)}}};
}

struct by_tbb {
  template <class F, class G>
  static void both(F f, G g) {
    oneapi::tbb::parallel_invoke(f, g);
  }
  template <class F>
  static void each(std::int64_t n, F f) {
    oneapi::tbb::parallel_for(std::int64_t{0}, n, f);
  }
  template <class F>
  static std::int64_t sum(std::int64_t n, F f) {
    using range = oneapi::tbb::blocked_range<std::int64_t>;
    const auto part = [&f](const range& r, std::int64_t before) {
      for (std::int64_t i = r.begin(); i < r.end(); ++i) before += f(i);
      return before;
    };
    return oneapi::tbb::parallel_reduce(range(0, n), std::int64_t{0}, part, std::plus<>());
  }
};

template <forks::outcome (*run)(std::int64_t), std::int64_t otherwise>
result fork_join(const params& a) {
  const forks::outcome o = run(a.count(otherwise));
  return {o.op, o.ops, o.elapsed, {{"value", double(o.value)}}};
}

result spawn_batch(const params& a) {
  const std::int64_t batch = a.crowd(1000), batches = (a.count(1'000'000) + batch - 1) / batch;
  task_group all;
  const auto spawn = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      for (std::int64_t j = 0; j < batch; ++j) all.run([] {});
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
  task_group one;
  const auto spawn = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      one.run([] {});
      one.wait();
    }
  };
  spawn(1000);
  const auto t = clock::now();
  spawn(n);
  return {"spawn+join", n, clock::now() - t};
}

}  // namespace

int main(int argc, char** argv) {
  return peer::main_of(
      argc, argv, "tbb",
      {{"fib", "fork-join fib(n) without cutoff (32)", fork_join_fib},
       {"forkfib", "fib(n) without cutoff by parallel_invoke (32)", fork_join<forks::run_fib<by_tbb>, 32>},
       {"forkskynet", "10-ary tree to n leaves (1000000) by parallel_reduce",
        fork_join<forks::run_skynet<by_tbb>, 1'000'000>},
       {"nqueens", "all ways to place n queens (12) by parallel_reduce over each row's places",
        fork_join<forks::run_queens<by_tbb>, 12>},
       {"quicksort", "n numbers (1000000) by parallel_invoke of the parts",
        fork_join<forks::run_quicksort<by_tbb>, 1'000'000>},
       {"mergesort", "n numbers (1000000) by parallel_invoke of the halves",
        fork_join<forks::run_mergesort<by_tbb>, 1'000'000>},
       {"matmul", "product of two n x n matrices (400) by parallel_for over the rows",
        fork_join<forks::run_matmul<by_tbb>, 400>},
       {"skynet", "10-ary tree to n leaves (1000000), sums returned", skynet},
       {"spawnbatch", "spawn n empty tasks, joined -fibers (1000) at a time", spawn_batch},
       {"spawnone", "spawn one empty task and join it, n times", spawn_one}},
      [](const params& a, auto f) {
        const auto p = static_cast<std::size_t>(a.p);
        const oneapi::tbb::global_control workers(oneapi::tbb::global_control::max_allowed_parallelism, p);
        oneapi::tbb::task_arena(a.p).execute(f);
      });
}
