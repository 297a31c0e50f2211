// Fewer deviations for the same failure.
#pragma once
#include <functional>
#include <vector>

#include "sched/sim/simulation.h"

namespace weft::detail {

// Those of `all` that are needed: without any one of them `still_fails` is false. Several such sets
// may exist. Looks for a small one with about `runs` more calls of `still_fails`.
std::vector<deviation> shrink(const std::vector<deviation>& all, std::size_t runs,
                              const std::function<bool(const std::vector<deviation>&)>& still_fails);

}  // namespace weft::detail
