// Whether every fiber is parked and nothing is left that could wake one.
#pragma once
#include <cstdint>
#include <string>

namespace weft::detail {

struct world;

// Every M is about to sleep without a deadline, with the world's lock held. Returns whether no
// event can wake any of them. `perhaps`: check again after recheck_ns.
enum class asleep { no, perhaps, yes };
inline constexpr std::int64_t recheck_ns = 10'000'000;
asleep all_asleep_locked(world& w) noexcept;
// Returns a sentence about the threads that keep a verdict back; "" if there are none.
std::string describe_foreign_threads(world& w);
// Does not return from `yes`.
asleep verdict_if_all_asleep(world& w);

}  // namespace weft::detail
