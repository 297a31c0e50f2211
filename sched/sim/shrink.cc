#include "sched/sim/shrink.h"

#include <algorithm>

namespace weft::detail {
namespace {

using list = std::vector<deviation>;

list without(const list& all, std::size_t from, std::size_t n) {
  list rest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  rest.insert(rest.end(), all.begin() + static_cast<std::ptrdiff_t>(std::min(from + n, all.size())), all.end());
  return rest;
}

// Delta debugging. From the end: the last deviations often do not matter.
list without_chunks(list all, const std::function<bool(const list&)>& still_fails) {
  std::size_t chunk = all.size();
  while (chunk > 0 && !all.empty()) {
    bool removed = false;
    for (std::size_t end = all.size(); end > 0;) {
      const std::size_t from = end > chunk ? end - chunk : 0;
      list rest = without(all, from, end - from);
      if (still_fails(rest)) {
        all = std::move(rest);
        removed = true;
      }
      end = std::min(from, all.size());
    }
    if (chunk == 1 && !removed) break;
    if (chunk > 1) chunk /= 2;
  }
  return all;
}

// One after the other, in a random order.
list without_singles(list all, random_source& random, const std::function<bool(const list&)>& still_fails) {
  std::vector<deviation> order = all;
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  for (const deviation& d : order) {
    const auto at = std::find(all.begin(), all.end(), d);
    list rest = without(all, static_cast<std::size_t>(at - all.begin()), 1);
    if (still_fails(rest)) all = std::move(rest);
  }
  return all;
}

}  // namespace

list shrink(const list& all, std::size_t runs, const std::function<bool(const list&)>& still_fails) {
  constexpr std::size_t few = 2;
  list least = without_chunks(all, still_fails);
  random_source random(all.size() + 1);
  std::size_t left = runs;
  const auto counted = [&](const list& d) {
    if (left == 0) return false;
    --left;
    return still_fails(d);
  };
  while (left > 0 && least.size() > few) {
    list other = without_singles(all, random, counted);
    if (left > 0 && other.size() < least.size()) least = std::move(other);
  }
  return least;
}

}  // namespace weft::detail
