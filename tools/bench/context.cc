// Contexts: trees that are cancelled, a parent that many derive from, and polls.
#include <weft/weft.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "tools/bench/workload.h"

namespace bench {

namespace {

void work(int n) {
  for (int i = 0; i < n; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

struct tag {
  using type = int;
};

// f(i) in -fibers fibers, n times in all.
template <class F>
result from_all_sides(const params& a, const char* op, std::int64_t otherwise, F f) {
  const std::int64_t k = a.crowd(a.p), n = std::max<std::int64_t>(a.count(otherwise) / k, 1);
  weft::wait_group all;
  const stopwatch t;
  for (std::int64_t i = 0; i < k; ++i)
    all.go([&f, n] {
      for (std::int64_t j = 0; j < n; ++j) f();
    });
  all.wait();
  return {op, n * k, t.elapsed(), {}};
}

}  // namespace

result cancel_tree(const params& a) {
  const std::int64_t depth = a.crowd(100), n = a.count(20'000'000 / (depth * 10));
  std::vector<weft::cancelable> chain;
  chain.reserve(static_cast<std::size_t>(depth));
  const stopwatch t;
  for (std::int64_t i = 0; i < n; ++i) {
    chain.push_back(weft::with_cancel(weft::background()));
    while (chain.size() < static_cast<std::size_t>(depth)) chain.push_back(weft::with_cancel(chain.back().ctx));
    chain.front().cancel();
    chain.clear();
  }
  return {"chain built and cancelled", n, t.elapsed(), {{"depth", depth}}};
}

result common_parent(const params& a) {
  auto [shared, cancel_shared] = weft::with_cancel(weft::with_value<tag>(weft::background(), 1));
  return from_all_sides(a, "derive+cancel", 5'000'000, [&shared = shared] {
    auto [ctx, cancel] = weft::with_cancel(shared);
    if (!ctx.value<tag>()) std::abort();
    work(100);
    cancel();
    work(100);
  });
}

result derive_timeouts(const params& a) {
  using namespace std::chrono_literals;
  std::vector<weft::cancelable> alive;
  for (std::int64_t i = 0; i < a.crowd(4000); ++i) alive.push_back(weft::with_timeout(weft::background(), 1h));
  params one_each = a;
  one_each.fibers = 0;
  return from_all_sides(one_each, "10 timeouts made and cancelled", 500'000, [] {
    std::optional<weft::cancelable> ten[10];
    for (auto& c : ten) c.emplace(weft::with_timeout(weft::background(), std::chrono::hours(1)));
    for (auto& c : ten) c->cancel();
  });
}

result check_error(const params& a) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  cancel();
  return from_all_sides(a, "err()", 100'000'000, [&ctx = ctx] {
    if (!ctx.err()) std::abort();
  });
}

result check_done(const params& a) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  cancel();
  return from_all_sides(a, "select on done()", 20'000'000, [&ctx = ctx] {
    if (weft::select(recv(ctx.done()), weft::otherwise) != 0) std::abort();
  });
}

result check_live(const params& a) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  return from_all_sides(a, "err() of a live context", 100'000'000, [&ctx = ctx] {
    if (ctx.err()) std::abort();
  });
}

}  // namespace bench
