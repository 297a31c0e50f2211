// R1: counters that share a variable, a cache line, or nothing.
#include <array>
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

constexpr int fibers = 2, rounds = 2'000'000;

struct alignas(128) padded {
  std::atomic<long> n{0};
};
struct neighbours {
  std::atomic<long> n[fibers] = {};
};

template <class Count>
void count(const char* what, Count count_one) {
  const time_point began = now();
  wait_group all;
  for (int i = 0; i < fibers; ++i)
    all.go([=] {
      for (int k = 0; k < rounds; ++k) count_one(i);
    });
  all.wait();
  const double ns = static_cast<double>((now() - began).count()) * std::min(maxprocs(), fibers) / rounds / fibers;
  println("{}: {:.1f} ns of a P per count", what, ns);
}

void sharing() {
  std::atomic<long> shared{0};
  auto line = std::make_unique<neighbours>();
  auto apart = std::make_unique<std::array<padded, fibers>>();
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  count("one variable      ", [&](int) { shared.fetch_add(1, std::memory_order_relaxed); });
  count("one cache line    ", [&](int i) { line->n[i].fetch_add(1, std::memory_order_relaxed); });
  count("a cache line each ", [&](int i) { (*apart)[at(i)].n.fetch_add(1, std::memory_order_relaxed); });
  println("{} in each way", shared.load() == line->n[0] + line->n[1] && shared == (*apart)[0].n + (*apart)[1].n
                                ? fmt::format("{}", shared.load())
                                : "different counts");
}

const lesson::page page{"R1", "sharing", {{"sharing", "the same counting in three places", sharing}}};

}  // namespace
